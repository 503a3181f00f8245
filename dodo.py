"""The tasks of the monitoring lab: `doit list` shows them, `doit TASK --help` what one takes.

`python3 dodo.py TASK` does the same on a machine with nothing but Python 3.11: it makes a virtual
environment from the locked requirements first. What a task says of itself stands in its docstring:
a line, paragraphs, and examples.
"""

import os
import sys

if __name__ == "__main__" or "doit" in sys.modules:  # doit's own command read this file
    # Old Pythons must be able to read this file; what it imports, they cannot.
    if sys.version_info < (3, 11):  # noqa: UP036
        have = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.stderr.write(f"Python {have} is too old: run this with Python 3.11 or newer.\n")
        sys.exit(3)

    from stack.bootstrap import main

    main(sys.argv[1:])

from stack.tasks.declaration import duration, option, plain, task

GROUPS = {
    "Run a stack": (
        "up",
        "status",
        "health",
        "harden",
        "reload",
        "restart",
        "down",
        "demo",
        "incident",
    ),
    "Prove": (
        "verify-alerts",
        "watch",
        "verify-report",
        "verify-dashboards",
        "quiet-day",
        "mutate",
        "nightly",
    ),
    "Load": ("load", "capacity"),
    "Edit": ("check", "new-alert", "list-faults", "list-users", "lint", "test"),
    "Build": ("build", "images", "compose", "bundle", "import", "lock", "outdated", "reproduce"),
    "Look": ("logs", "logql", "shell", "generations", "diff", "why", "closure", "sbom"),
    "Back up": ("backup", "backups", "restore"),
    "Look after": ("rollback", "gc", "verify-store", "help", "list", "completion"),
}
"""What one wants to do, in the order of `doit list`."""

INSTANCE = option(
    "instance", str, os.environ.get("STACK_INSTANCE") or "default",
    "which one, where there are several", shown="NAME", names="stack.tasks.known:instances",
)  # fmt: skip
SYSTEM = option(
    "system",
    str,
    "",
    "kind of machine to build for; this one's unless given",
    choices=("amd64", "arm64"),
)
PACKAGES = plain(
    "packages",
    "[PACKAGE]...",
    "names or patterns; all when none is given",
    names="stack.tasks.known:packages",
)
SERVICES = plain(
    "services",
    "[SERVICE]...",
    "names or patterns; all when none is given",
    names="stack.tasks.known:services",
)
KEEP_REPORTS = option("keep-reports", int, 20, "how many reports to keep, the newest ones", low=1)
PROOF_SPEED = option("speed", float, 60.0, "how many times faster than written it lives", low=1)
PORT_OFFSET = option("port-offset", int, 0, "added to every default port")


def task_up():
    """bring the whole stack up; returns when all is ready

    Builds what is missing first. Does nothing where it runs already as it is configured; with other
    configuration it is restarted and keeps its data.

    $ doit up
    $ doit up --instance fast --speed 60 --port-offset 10000  # a second one: an hour a minute
    """
    return task(
        "scenarios.tasks.instance:up",
        params=[
            INSTANCE,
            option("speed", float, 1.0, "how many times faster than written it lives", low=1),
            PORT_OFFSET,
            option(
                "backends", int, 1, "processes of the scheduler that share its port", low=1, high=64
            ),
            option(
                "profile",
                str,
                "",
                "whom it is for; as it was if not given",
                choices=("development", "production"),
            ),
            option("certificate", str, "", "the front's, PEM; its own if not given", shown="FILE"),
            option("key", str, "", "of that certificate, PEM", shown="FILE"),
            option(
                "remote-write",
                str,
                "",
                "where its Prometheus writes as well; as it was if not given",
                shown="victoria|URL|none",
            ),
            option(
                "remote-write-settings",
                str,
                "",
                "who writes, TLS …: as Prometheus has them",
                shown="FILE",
            ),
        ],
        shows_progress=True,
    )


def task_status():
    """services, addresses, memory, speed and hash of a stack

    Ends with 1 when a service does not run. `doit` alone does this.

    $ doit status
    $ doit status --instance fast
    """
    return task("scenarios.tasks.instance:status", params=[INSTANCE])


def task_health():
    """whether metrics, rules, messages and logs get through

    Asks every part of a running stack: services, configuration, targets, rules, notifications,
    heartbeat, alerts, logs, disk, backup. Ends with 1 when one of them is not well.

    $ doit health
    $ doit health --instance fast --json  # for programs, a part a line
    """
    return task("stack.tasks.instance:health", params=[INSTANCE], shows_progress=True)


def task_harden():
    """whether a stack is as closed as a server needs it

    Looks at a running stack from outside: open ports, TLS, what strangers get, default passwords,
    users, folders, secrets, the audit log. Ends with 1 when a point does not hold.

    $ doit harden
    $ doit harden --instance server --json  # for programs, a point a line
    """
    return task("stack.tasks.harden:harden", params=[INSTANCE], shows_progress=True)


def task_backup():
    """back up a running stack: metrics, logs, rows, messages

    What cannot be made again, consistent and without an interruption, in a folder of its own below
    STACK_STATE; what the backup before has as well is shared with it. Secrets are left out, and a
    restored stack has new ones, unless --recipient names a public key of age: then they are in it,
    encrypted. With --verify it is restored into a scratch instance, which is asked the same
    questions.

    From its first backup on, a stack is to be backed up daily: BackupTooOld and BackupFailed tell.

    $ doit backup --verify --keep 14
    $ doit backup --recipient age1…  # as `age-keygen -o FILE` prints it
    """
    return task(
        "stack.tasks.backup:backup",
        params=[
            INSTANCE,
            option("keep", int, 7, "backups that are kept", low=1),
            option("verify", bool, False, "restore it aside, and compare the answers"),
            option("recipient", str, "", "to whom its secrets are encrypted", shown="KEY"),
        ],
        shows_progress=True,
    )


def task_backups():
    """the backups that there are

    $ doit backups
    $ doit backups --instance fast
    """
    return task("stack.tasks.backup:backups", params=[INSTANCE])


def task_restore():
    """make a stack of a backup

    It replaces all that the instance has, and is refused while that runs, unless --force is given.
    A damaged backup is refused, too. With --identity, a private key of age, it has the secrets that
    are in the backup; otherwise new ones.

    $ doit restore latest --into tried
    $ doit restore --force  # the newest, in place of what runs
    """
    return task(
        "stack.tasks.backup:restore",
        params=[
            INSTANCE,
            option("into", str, "", "instance to make; the one that was backed up if not given",
                   shown="NAME"),
            option("force", bool, False, "also over one that runs"),
            option("identity", str, "", "has the key to its secrets", shown="FILE"),
        ],
        pos_arg=plain("names", "[BACKUP]", "name of one, its folder, or `latest`"),
        shows_progress=True,
    )  # fmt: skip


def task_reload():
    """take over edited files while it runs

    Checks them first: with a broken file, nothing changes. What can be told does so while it runs
    (Prometheus, Alertmanager, the blackbox exporter, nginx); the others are restarted. For other
    packages, ports or another speed there is `doit up`.

    $ doit reload
    $ doit reload --instance fast
    """
    return task("stack.tasks.instance:reload", params=[INSTANCE], shows_progress=True)


def task_restart():
    """restart services and wait until they are ready

    $ doit restart postgresql
    $ doit restart '*exporter'  # all exporters, one after the other
    """
    return task(
        "stack.tasks.instance:restart",
        params=[INSTANCE],
        pos_arg=plain(
            "services", "SERVICE...", "names or patterns", names="stack.tasks.known:services"
        ),
    )


def task_down():
    """stop a stack, even if its supervisor was killed

    Its data and logs stay, and the next `doit up` goes on with them, unless --wipe is given.

    $ doit down
    $ doit down --instance fast --wipe  # nothing of it is left
    """
    return task(
        "scenarios.tasks.instance:down",
        params=[INSTANCE, option("wipe", bool, False, "remove its data and logs as well")],
    )


def task_demo():
    """a stack with a week behind it and people at work, to show

    Ctrl-C ends it; the stack stays up. `doit incident` in another terminal breaks something.

    $ doit demo
    $ doit demo --speed 60 --seed 7  # an hour a minute, the same day each time
    """
    return task(
        "scenarios.tasks.demo:demo",
        params=[
            INSTANCE,
            option("speed", float, 1.0, "how many times faster than written it lives", low=1),
            PORT_OFFSET,
            option("seed", int, None, "repeats a demo; drawn, and printed, if not given", low=0),
            option("no-history", bool, False, "without a past: dashboards begin empty"),
        ],
    )


def task_incident():
    """break something on cue on a running stack

    An incident is the fault of a proven scenario; it says who must be told, and when, and is put
    right by itself. Without a name, lists them and what goes on.

    $ doit incident PostgreSQLDown --for 5m
    $ doit incident --end  # all is right again
    $ doit incident --schedule --seed 7  # a day of incidents, the same each time
    """
    return task(
        "scenarios.tasks.incident:incident",
        params=[
            INSTANCE,
            option("for", duration, "", "how long, in the stack's own time", key="lasts"),
            option("end", bool, False, "put right the named ones, all when none is named"),
            option("schedule", bool, False, "live a day of random incidents", key="by_schedule"),
            option("seed", int, None, "repeats a day; drawn, and printed, if not given", low=0),
        ],
        pos_arg=plain(
            "names", "[ALERT]...", "one to begin; names or patterns of those to end",
            names="stack.tasks.known:alerts",
        ),
    )  # fmt: skip


def task_verify_alerts():
    """prove that alerts fire, reach the right people and resolve

    Real traffic and real faults, on instances of its own and free ports. All alerts and all routes
    take minutes, one alert some ten seconds. Writes reports/latest/report.html.

    $ doit verify-alerts
    $ doit verify-alerts database 'Disk*' HighErrorRate  # an area, a pattern, a name
    $ doit verify-alerts --changed  # after an edit: what the edit cannot have touched is not played
    """
    return task(
        "scenarios.tasks.verify_alerts:verify_alerts",
        params=[
            option("changed", bool, False, "only what changed since it was proven; says why"),
            option(
                "only", list, [], "the same as naming it", shown="ALERT",
                names="stack.tasks.known:provable",
            ),
            PROOF_SPEED,
            option("keep", bool, False, "leave the instances running, to look at them"),
            option(
                "history", str, "", "has the figures of earlier runs; this run's are added",
                shown="FILE",
            ),
            KEEP_REPORTS,
            option("attest", bool, False, "write an attestation of in-toto beside the report"),
            option("attest-key", str, "", "signs it: a private Ed25519 key, PEM", shown="FILE"),
        ],
        shows_progress=True,
        pos_arg=plain(
            "only", "[ALERT]...",
            "names, patterns, areas (such as `database`) or `routing`; all when none is given",
            names="stack.tasks.known:provable",
        ),
    )  # fmt: skip


def task_watch():
    """after every save, check and prove what it has changed

    Looks at stack/config until Ctrl-C: `doit check`, and where that is clean
    `doit verify-alerts --changed`.

    $ doit watch
    $ doit watch database HighErrorRate  # only these
    """
    return task(
        "scenarios.tasks.watch:watch",
        pos_arg=plain(
            "only", "[ALERT]...", "as of verify-alerts; all when none is given",
            names="stack.tasks.known:provable",
        ),
    )  # fmt: skip


def task_verify_report():
    """judge the evidence of a proof again, as others can

    From what the report keeps alone: events, deadlines, expectations. Ends with 1 when another
    verdict follows, or when something was changed after the proof. An attestation beside it is
    checked, too: that it is of this report, and with --key who signed it.

    $ doit verify-report
    $ doit verify-report proofs/2026-11-30 --key lab.pub  # one that somebody else sent
    """
    return task(
        "scenarios.tasks.verify_report:verify_report",
        params=[option("key", str, "", "public Ed25519 key of its attestation, PEM", shown="FILE")],
        shows_progress=True,
        pos_arg=plain("files", "[REPORT]", "its folder, or a file in it; the latest if not given"),
    )


def task_mutate():
    """find the breakages of rules and routes nobody would notice

    Changes one thing at a time in a copy: a threshold, a matcher, a route, a template. What no unit
    test and nothing that `doit check` looks at notices has survived, and is named with what would
    kill it.

    $ doit mutate HighErrorRate 'slack-*' rules/database.yml
    $ doit mutate --changed  # what this branch has changed
    $ doit mutate HighErrorRate --prove  # survivors are proven, too
    """
    return task(
        "scenarios.tasks.mutate:mutate",
        params=[
            option("changed", bool, False, "only what differs from the main branch"),
            option("at-least", float, 90.0, "percent to be killed, or it fails", shown="PERCENT"),
            option("sample", int, 0, "try only so many, drawn by chance; 0 for all", low=0),
            option("seed", int, 1, "of the chance"),
            option("prove", bool, False, "ask a proof about those that survive: minutes"),
            KEEP_REPORTS,
        ],
        shows_progress=True,
        pos_arg=plain(
            "only", "[NAME]...",
            "alerts, receivers, templates or files; names or patterns; all when none is given",
        ),
    )  # fmt: skip


def task_verify_dashboards():
    """show that each panel has data and moves with its faults

    Asks each panel on a healthy morning, and under the faults that it watches. Opens the dashboards
    in a browser without a window, which is built on its first use; STACK_BROWSER names another, or
    none.

    $ doit verify-dashboards --healthy  # without any fault
    $ doit verify-dashboards database-metrics 'overview/*'
    """
    return task(
        "scenarios.tasks.verify_dashboards:verify_dashboards",
        params=[
            option(
                "only", list, [], "the same as naming it", shown="UID",
                names="stack.tasks.known:dashboards",
            ),
            PROOF_SPEED,
            option("healthy", bool, False, "only a healthy morning, without any fault"),
            KEEP_REPORTS,
        ],
        shows_progress=True,
        pos_arg=plain(
            "only", "[UID]...",
            "dashboards, panels as UID/ID or by title; names or patterns; all when none is given",
            names="stack.tasks.known:dashboards",
        ),
    )  # fmt: skip


def task_quiet_day():
    """live a normal day, which fails if anything fires

    $ doit quiet-day
    $ doit quiet-day --seed 3  # the same day again
    """
    return task(
        "scenarios.tasks.quiet_day:quiet_day",
        params=[
            option("seed", int, None, "repeats a day; drawn, and printed, if not given", low=0),
            option(
                "speed",
                float,
                960.0,
                "how many times faster than written it lives",
                low=1,
                high=1440,
            ),
            KEEP_REPORTS,
        ],
        shows_progress=True,
    )


def task_nightly():
    """all that is done every night, with one summary

    Checks, build, alerts, dashboards, a quiet day, a backup that is restored, reproducible builds,
    bill of materials, and the tests that take minutes, for two and a half hours at most. Each stage
    has its time; one that fails keeps the others from nothing. Reports lie in reports/nightly/.

    $ doit nightly
    $ doit nightly --resume  # without what passed before on the same sources
    """
    return task(
        "scenarios.tasks.nightly:nightly",
        params=[
            option("webhook", str, "", "is told when something failed, as Slack is", shown="URL"),
            option("resume", bool, False, "only what did not pass in the last night"),
            KEEP_REPORTS,
        ],
        shows_progress=True,
    )


def task_load():
    """traffic without a proof, for as long as one likes

    Locust, with its own reports and its page: people who wait for each answer (--users), or
    requests that do not (--rate), whose times count from when they were due. Its figures are in the
    stack's Prometheus as well. One machine can be master of workers on others; all have the lab.

    $ doit load --rate 100 --for 2m
    $ doit load --users 50 --shape clinic-day --for 10m --web  # a day in ten minutes
    $ doit load --rate 20 --host http://127.0.0.1:8000 --html load.html
    $ doit load --master --master-bind-host 10.0.0.1 --host http://10.0.0.9:8000 --yes-this-host
    $ doit load --worker --master-host 10.0.0.1 --yes-this-host  # on each other machine
    """
    return task(
        "scenarios.tasks.load:load",
        params=[
            INSTANCE,
            option("users", int, None, "who wait for their answers; 10 unless --rate is given",
                   low=1, high=5000),
            option("rate", float, None, "requests a second that wait for nobody", low=0.1,
                   high=5000, shown="R"),
            option("shape", str, "", "how it goes up and down; all the time the same if not given",
                   choices=("clinic-day", "spike", "soak", "steps")),
            option("for", duration, None, "how long; 5m if not given", key="lasts"),
            option("host", str, "", "address to load instead of an instance's", shown="URL"),
            option("yes-this-host", bool, False, "even one that is not this machine's"),
            option("web", bool, False, "with Locust's page, which stays until Ctrl-C"),
            option("csv", str, "", "Locust's figures, in files that begin so", shown="PREFIX"),
            option("html", str, "", "Locust's report", shown="FILE"),
            option("processes", int, 1, "that share the work, by Locust's own means", low=1,
                   high=64),
            option("master", bool, False, "tells workers on other machines what to do"),
            option("expect-workers", int, None, "that the master waits for; 1 if not given",
                   low=1, high=1000),
            option("master-bind-host", str, "", "where the master listens, for a network that one"
                   " trusts; loopback alone if not given", shown="ADDRESS"),
            option("worker", bool, False, "does what its master says"),
            option("master-host", str, "", "address of the worker's master", shown="ADDRESS"),
            option("master-port", int, None, "of the master; 5557 if not given", low=1,
                   high=65535),
            option("password-file", str, "", "with the people's password, if not that of an"
                   " instance or $SCHEDULER_PASSWORD", shown="FILE"),
        ],
    )  # fmt: skip


def task_capacity():
    """find how much a scheduler, Prometheus and the logs carry

    The highest rate at which the thresholds of HighLatencyP95 and HighErrorRate hold, with its
    interval, and what is at its limit first; then how it scales, how early the alerts warn and what
    the next size needs. In instances of its own; about ten minutes. `metrics` measures a Prometheus
    instead: memory, CPU and disk over series, and a larger size that they predict; twenty minutes.
    `logs`: how many lines a second can be queried within one (--slo lag=2s), and the disk.

    $ doit capacity scheduler
    $ doit capacity logs
    $ doit capacity --need 150 --slo latency=1s,errors=1%
    $ doit capacity --baseline before.json --tolerance 5  # percent
    $ doit capacity metrics --remote-write  # how many series one Prometheus carries
    """
    return task(
        "scenarios.tasks.capacity:capacity",
        params=[
            option(
                "instance", str, "", "a running one instead of its own", shown="NAME",
                names="stack.tasks.known:instances",
            ),
            option("slo", str, "", "objective, as latency=2s,errors=5%", shown="SLO"),
            option("need", float, None, "arrivals a second that must hold", low=0.1, shown="R"),
            option("baseline", str, "", "report.json to compare with", shown="FILE"),
            option("tolerance", float, 10.0, "percent that the knee may be lower", low=0, high=100,
                   shown="PERCENT"),
            option("start", float, None, "first rate", low=0.5, shown="R"),
            option("highest", float, None, "highest rate that is tried", high=1_000_000, low=1,
                   shown="R"),
            option("for", duration, "6m", "each search at most", key="lasts"),
            option("backends", int, 1, "up to so many processes of the scheduler", low=1, high=64),
            option("history", str, "", "earlier runs; compared with the last, and added to",
                   shown="FILE"),
            option("size", int, 50, "metrics: schedulers of the smallest fleet", low=1, high=1000),
            option("reach", int, 10, "metrics: size that is predicted, as often that; 0 for none",
                   low=0, high=1000),
            option("every", duration, "5s", "metrics: interval of scrapes"),
            option("churn", float, 5.0, "metrics: percent of instances and label values replaced in"
                   " an hour", low=0, high=10_000, shown="PERCENT"),
            option("remote-write", bool, False, "metrics: and what remote write costs and loses"),
            option("wall", bool, False, "metrics: and the rate at which it cannot keep up"),
        ],
        shows_progress=True,
        pos_arg=plain("what", "[scheduler|metrics|logs]", "what to measure",
                      names="scenarios.tasks.capacity:kinds"),
    )  # fmt: skip


def task_check():
    """check all that people edit, in seconds, without a stack

    Rules, routes, message templates, runbooks, dashboards, log pipeline, unit tests and scenarios:
    each problem with file, line and what to do.

    $ doit check
    $ doit check && doit verify-alerts HighErrorRate
    """
    return task("stack.tasks.check:check", shows_progress=True)


def task_new_alert():
    """write the files of an alert of your own, with blanks

    Rule, unit tests, scenario, panel and runbook; `doit check` names each blank that is left.

    $ doit new-alert PostgreSQLBloat --area database --severity warning
    $ doit new-alert ClockDrift --area infrastructure --severity critical && doit check
    """
    return task(
        "stack.tasks.new_alert:new_alert",
        params=[
            option("area", str, "", "rule file that it belongs to, such as database"),
            option("severity", str, "", "how bad it is", choices=("critical", "warning", "info")),
        ],
        pos_arg=plain("names", "NAME", "of the alert, in CamelCase"),
    )


def task_list_faults():
    """the faults that scenarios can use: what each does to what

    $ doit list-faults
    $ doit list-faults 'postgres*'
    """
    return task(
        "scenarios.tasks.shelves:list_faults",
        pos_arg=plain(
            "names", "[FAULT]...", "names, patterns or modules; all when none is given",
            names="scenarios.tasks.shelves:fault_names",
        ),
    )  # fmt: skip


def task_list_users():
    """the people and programs that scenarios can let act

    $ doit list-users
    $ doit list-users 'C*'
    """
    return task(
        "scenarios.tasks.shelves:list_users",
        pos_arg=plain(
            "names", "[USER]...", "names or patterns; all when none is given",
            names="scenarios.tasks.shelves:user_names",
        ),
    )  # fmt: skip


def task_lint():
    """ruff, its format, mypy and the contract on imports

    $ doit lint
    $ ruff format . && doit lint  # where only the format was wrong
    """
    return task("stack.tasks.dev:lint")


def task_test():
    """lint, then every test

    $ doit test -k speed  # options go to pytest
    $ doit test -m nightly  # those that take minutes
    """
    return task(
        "stack.tasks.dev:test",
        pos_arg=plain("arguments", "[ARGUMENT]...", "go to pytest as they are", passed_on=True),
    )


def task_build():
    """build packages from pinned parts, by their hashes

    Nothing is done for what is in the store already.

    $ doit build
    $ doit build 'prom*' --system arm64  # also on other CPUs
    """
    return task("stack.tasks.build:build", params=[SYSTEM], pos_arg=PACKAGES, shows_progress=True)


def task_images():
    """write OCI images of services, without Docker

    The same bytes on every machine.

    $ doit images
    $ doit images backend prometheus --output /tmp/images
    """
    return task(
        "stack.tasks.images:images",
        params=[
            option("output", str, "images", "for the images; holds nothing else", shown="FOLDER")
        ],
        pos_arg=SERVICES,
    )


def task_compose():
    """the stack in containers: config, verify, up or down

    The files are in stack/config, and Compose itself comes with the store; only `up` and `down`
    need a Docker daemon. `verify` checks what the files come to once they are merged.

    $ doit compose verify --production
    $ doit compose up  # writes .env and the secrets, makes and loads images, waits until healthy
    """
    return task(
        "stack.tasks.compose:compose",
        params=[
            option("production", bool, False, "no port but the front's"),
            option("wipe", bool, False, "with `down`: remove what was kept, too"),
        ],
        pos_arg=plain(
            "action", "config|verify|up|down", "what to do", names="stack.tasks.compose:actions"
        ),
    )


def task_bundle():
    """write to a file what a machine without a network needs

    Without the browser, unless it is named: nothing of the stack runs from it.

    $ doit bundle
    $ doit bundle chromium --output browser.tar  # one more, to import as well
    $ doit bundle prometheus --output /media/stick --no-python
    """
    return task(
        "stack.tasks.bundle:bundle",
        params=[
            option(
                "output", str, "", "file or folder to write to; bundle-SYSTEM.tar if not given",
                shown="PATH",
            ),
            option("no-python", bool, False, "without the wheels, for a machine with a .venv"),
        ],
        pos_arg=PACKAGES,
        shows_progress=True,
    )  # fmt: skip


def task_import():
    """take in a bundle or a downloaded file, without a network

    Refused unless the lock pins all of it.

    $ doit import bundle-amd64.tar
    $ doit import --artifact grafana_13.1.1_linux_amd64.tar.gz
    """
    return task(
        "stack.tasks.import_:import_",
        params=[
            option(
                "artifact", str, "", "one download that the lock knows by its hash", shown="FILE"
            )
        ],
        shows_progress=True,
        pos_arg=plain("files", "[BUNDLE]...", "what `doit bundle` wrote"),
    )


def task_lock():
    """pin packages again, and show what changed

    All from Debian's signed metadata when none is named; otherwise what building these gives, after
    a change of a recipe or of a page.

    $ doit lock viewer
    $ doit lock --update prometheus  # a newer version, if it builds and `doit check` is good
    """
    return task(
        "stack.tasks.lock:lock",
        params=[
            option("update", bool, False, "only move to newer versions, once they are checked")
        ],
        pos_arg=PACKAGES,
    )


def task_outdated():
    """list what is behind Debian and the upstream projects

    $ doit outdated
    $ doit outdated && doit lock --update
    """
    return task("stack.tasks.outdated:outdated")


def task_reproduce():
    """build again under hostile variations: same bytes?

    Another place, user, umask, time zone, locale, host name, clock, order …; a difference is shown
    to the byte.

    $ doit reproduce
    $ doit reproduce prometheus --system arm64
    """
    return task(
        "stack.tasks.reproduce:reproduce", params=[SYSTEM], pos_arg=PACKAGES, shows_progress=True
    )


def task_logs():
    """print the last lines of services' logs

    $ doit logs backend --lines 50
    $ doit logs 'postgres*' --follow
    """
    return task(
        "stack.tasks.instance:logs",
        params=[
            INSTANCE,
            option("follow", bool, False, "keep printing until Ctrl-C"),
            option("lines", int, 20, "lines of each service", low=0),
        ],
        pos_arg=SERVICES,
    )


def task_shell():
    """a shell in which psql, amtool and promtool know the stack

    They and `doit` speak to the instance; $PROMETHEUS, $BACKEND … are its addresses, $INSTANCE is
    its folder. The runbooks' commands are written for it.

    $ doit shell
    $ doit shell 'psql -c "SELECT count(*) FROM people"'  # one line in it, and its exit code
    """
    return task(
        "stack.tasks.shell:shell",
        params=[INSTANCE],
        pos_arg=plain(
            "arguments", "[COMMAND]...", "a line of shell, or a program and what it is given",
            passed_on=True,
        ),
    )  # fmt: skip


def task_logql():
    """ask the log store, in LogQL

    $ doit logql '{service="postgresql"} |= "ERROR"' --since 10m
    $ doit logql 'sum by (service) (count_over_time({service=~".+"}[5m]))'
    """
    return task(
        "stack.tasks.logql:logql",
        params=[
            INSTANCE,
            option("since", duration, "1h", "how far back"),
            option("limit", int, 100, "lines at most, the newest ones", low=1),
            option("follow", bool, False, "keep printing until Ctrl-C"),
            option(
                "output", str, "default", "raw: lines as they were written",
                choices=("default", "jsonl", "raw"),
            ),
        ],
        pos_arg=plain("query", "QUERY", "quoted, as one argument"),
    )  # fmt: skip


def task_generations():
    """list what an instance ran before

    Each `doit up` of something different makes a generation.

    $ doit generations
    $ doit generations --instance fast
    """
    return task("stack.tasks.generations:show_generations", params=[INSTANCE])


def task_diff():
    """show what changed between two generations

    $ doit diff 1 2
    $ doit diff 3 5 --instance fast
    """
    return task(
        "stack.tasks.generations:diff",
        params=[INSTANCE],
        pos_arg=plain("numbers", "OLD NEW", "as `doit generations` shows them"),
    )


def task_why():
    """show which services need a package or an artifact

    And through what.

    $ doit why libicu76
    $ doit why 'libssl*' glibc
    """
    return task(
        "stack.tasks.why:why",
        pos_arg=plain(
            "packages", "NAME...", "names or patterns of packages and artifacts",
            names="stack.tasks.known:packages",
        ),
    )  # fmt: skip


def task_closure():
    """show what packages need to run, as trees with sizes

    $ doit closure
    $ doit closure postgresql  # with the files that it is made of
    """
    return task("stack.tasks.closure:closure", pos_arg=PACKAGES)


def task_sbom():
    """write the bill of materials (CycloneDX 1.6)

    Hash, origin and licence of every part.

    $ doit sbom
    $ doit sbom --output sbom.json
    """
    return task(
        "stack.tasks.sbom:sbom",
        params=[option("output", str, "", "to write to; printed unless given", shown="FILE")],
    )


def task_rollback():
    """go back to an earlier generation within seconds

    Data stay; `doit up` goes forward again.

    $ doit rollback
    $ doit rollback 3
    """
    return task(
        "stack.tasks.generations:rollback",
        params=[INSTANCE],
        pos_arg=plain("number", "[N]", "of a generation; the previous one unless given"),
    )


def task_gc():
    """remove from the cache what nothing needs any more

    Needed is what the lock pins and what an instance, a generation or a process runs from.

    $ doit gc --dry-run
    $ doit gc
    """
    return task(
        "stack.tasks.gc:gc",
        params=[option("dry-run", bool, False, "only show what would go, and how much that frees")],
    )


def task_verify_store():
    """hash again all that was built, and repair the damaged

    $ doit verify-store
    $ doit verify-store postgresql
    """
    return task("stack.tasks.verify_store:verify_store", pos_arg=PACKAGES, shows_progress=True)


def task_help():
    """show the tasks, or what one takes

    $ doit help
    $ doit help verify-alerts  # the same as `doit verify-alerts --help`
    """
    return task(
        "stack.tasks.helping:show_help",
        pos_arg=plain("names", "[TASK]...", "names of tasks", names="stack.tasks.known:tasks"),
        at_once=True,
    )


def task_list():
    """show the tasks

    $ doit list
    $ doit list | grep -i log
    """
    return task("stack.tasks.helping:show_list", at_once=True)


def task_completion():
    """let a shell complete tasks, options and names

    Needs `doit` in your PATH, which is in .venv/bin.

    $ source <(doit completion bash)  # in ~/.bashrc; zsh alike, in ~/.zshrc
    $ doit completion fish > ~/.config/fish/completions/doit.fish
    """
    return task(
        "stack.tasks.completion:completion",
        pos_arg=plain(
            "words", "SHELL [-- WORD...]",
            "bash, zsh or fish; with words, what may stand for the last of them",
            names="stack.tasks.completion:shells",
        ),
        at_once=True,
    )  # fmt: skip
