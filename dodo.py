"""The tasks of the monitoring lab: `doit list` shows them, `doit help TASK` their parameters.

`python3 dodo.py TASK` does the same on a machine with nothing but Python 3.11: it makes a virtual
environment from the locked requirements first.
"""

import os
import sys

if __name__ == "__main__":
    # Old Pythons must be able to read this file; what it imports, they cannot.
    if sys.version_info < (3, 11):  # noqa: UP036
        have = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.stderr.write(f"Python {have} is too old: run this with Python 3.11 or newer.\n")
        sys.exit(3)

    from stack.bootstrap import main

    main(sys.argv[1:])

from stack.tasks.declaration import Reporter, option, task

DOIT_CONFIG = {
    "default_tasks": ["status"],
    "reporter": Reporter,
    "backend": "sqlite3",
    "dep_file": ":memory:",  # the store and the instances know what is up to date
}

INSTANCE = option(
    "instance", str, os.environ.get("STACK_INSTANCE") or "default", "name of the instance"
)


SYSTEM = option("system", str, "", "amd64 or arm64; this machine's unless given")


def task_build():
    """build packages (default: all) from pinned parts, by their hashes, into the store"""
    return task("stack.tasks.build:build", params=[SYSTEM], pos_arg="names")


def task_reproduce():
    """build packages again under a dozen hostile variations and show what comes out different"""
    return task("stack.tasks.reproduce:reproduce", params=[SYSTEM], pos_arg="packages")


def task_verify_store():
    """hash everything that was built and downloaded again, and repair what is damaged"""
    return {
        "basename": "verify-store",
        **task("stack.tasks.verify_store:verify_store", pos_arg="packages"),
    }


def task_lock():
    """pin all packages, or what building PACKAGE… gives; --update [PACKAGE…]: what is behind"""
    return task(
        "stack.tasks.lock:lock",
        params=[
            option(
                "update",
                bool,
                False,
                "move to newer versions only, and only once they pass `doit check`",
            )
        ],
        pos_arg="packages",
    )


def task_outdated():
    """list packages that are older than those of Debian and of the upstream projects"""
    return task("stack.tasks.outdated:outdated")


def task_gc():
    """remove from the cache what neither the lock nor any instance, generation or process needs"""
    return task(
        "stack.tasks.gc:gc",
        params=[
            option(
                "dry-run", bool, False, "only show what would be removed and how much that frees"
            )
        ],
    )


def task_bundle():
    """write to a file what packages (all, if none is named) need on a machine without a network"""
    return task(
        "stack.tasks.bundle:bundle",
        params=[
            option(
                "output", str, "", "file or folder to write to (default: bundle-SYSTEM.tar here)"
            ),
            option("no-python", bool, False, "without the wheels, for a machine with a .venv"),
        ],
        pos_arg="packages",
    )


def task_import():
    """import a bundle or one downloaded file, offline; refused unless the lock pins all of it"""
    return task(
        "stack.tasks.import_:import_",
        params=[option("artifact", str, "", "one downloaded file that the lock knows by its hash")],
        pos_arg="files",
    )


def task_why():
    """show which services need a package or an artifact, and through what: `doit why libicu76`"""
    return task("stack.tasks.why:why", pos_arg="packages")


def task_closure():
    """show what packages (all by default) need to run, as trees with sizes and totals"""
    return task("stack.tasks.closure:closure", pos_arg="packages")


def task_sbom():
    """write the bill of materials (CycloneDX 1.6): hash, origin and licence of every part"""
    return task(
        "stack.tasks.sbom:sbom",
        params=[option("output", str, "", "file to write to (default: print it)")],
    )


def task_up():
    """bring the whole stack up and wait until every service is ready"""
    return task(
        "stack.tasks.instance:up",
        params=[
            INSTANCE,
            option("speed", float, 1.0, "how many times faster than written it lives (1 or more)"),
            option("port-offset", int, 0, "added to every default port"),
        ],
    )


def task_status():
    """show services, addresses, memory, speed and hash of a running stack (also: plain `doit`)"""
    return task("stack.tasks.instance:status", params=[INSTANCE])


def task_down():
    """stop the stack, even if its supervisor was killed; its data stays unless --wipe"""
    return task(
        "stack.tasks.instance:down",
        params=[INSTANCE, option("wipe", bool, False, "remove its data and logs as well")],
    )


def task_logs():
    """print the logs of the named services (all when none is named)"""
    return task(
        "stack.tasks.instance:logs",
        params=[
            INSTANCE,
            option("follow", bool, False, "keep printing until Ctrl-C"),
            option("lines", int, 20, "lines per service"),
        ],
        pos_arg="services",
    )


def task_shell():
    """a shell with psql, amtool, promtool and an instance's addresses; or one COMMAND in it"""
    return task("stack.tasks.shell:shell", params=[INSTANCE], pos_arg="arguments")


def task_logql():
    """query the log store: `doit logql '{service="postgresql"} |= "ERROR"'`"""
    return task(
        "stack.tasks.logql:logql",
        params=[
            INSTANCE,
            option("since", str, "1h", "how far back: 90s, 10m, 2h"),
            option("limit", int, 100, "how many lines at most, the newest ones"),
            option("follow", bool, False, "keep printing until Ctrl-C"),
            option("output", str, "default", "default, jsonl or raw (lines as they were written)"),
        ],
        pos_arg="query",
    )


def task_restart():
    """restart the named services and wait until they are ready"""
    return task("stack.tasks.instance:restart", params=[INSTANCE], pos_arg="services")


def task_generations():
    """list what an instance ran before: each `up` of something different makes a generation"""
    return task("stack.tasks.generations:show_generations", params=[INSTANCE])


def task_rollback():
    """go back to generation N (default: the previous one); data stays, `up` goes forward again"""
    return task("stack.tasks.generations:rollback", params=[INSTANCE], pos_arg="number")


def task_diff():
    """show what changed between two generations of an instance: `doit diff 1 2`"""
    return task("stack.tasks.generations:diff", params=[INSTANCE], pos_arg="numbers")


def task_images():
    """write OCI images of services (default: all that have a package), the same on every machine"""
    return task(
        "stack.tasks.images:images",
        params=[option("output", str, "images", "folder for the images, which holds nothing else")],
        pos_arg="services",
    )


def task_check():
    """check rules, routes, templates, runbooks and scenarios in seconds, without an instance"""
    return task("stack.tasks.check:check")


def task_new_alert():
    """write rule, unit tests, scenario, panel and runbook of an alert of your own, with blanks"""
    return {
        "basename": "new-alert",
        **task(
            "stack.tasks.new_alert:new_alert",
            params=[
                option("area", str, "", "rule file that it belongs to, such as database"),
                option("severity", str, "", "critical, warning or info"),
            ],
            pos_arg="names",
        ),
    }


def task_verify_alerts():
    """prove under real traffic that each alert fires, reaches the right people and resolves"""
    return {
        "basename": "verify-alerts",
        **task(
            "scenarios.tasks.verify_alerts:verify_alerts",
            params=[
                option("only", list, [], "alert to prove (repeatable; also as plain arguments)"),
                option("speed", float, 60.0, "how many times faster than written (1 or more)"),
                option("keep", bool, False, "leave the instances running, to look at them"),
                option(
                    "history", str, "", "file with the figures of earlier runs; this one is added"
                ),
            ],
            pos_arg="only",
        ),
    }


def task_verify_dashboards():
    """show that each panel has data and possible values, and moves with the faults it watches"""
    return {
        "basename": "verify-dashboards",
        **task(
            "scenarios.tasks.verify_dashboards:verify_dashboards",
            params=[
                option("only", list, [], "UID of a dashboard, or UID/ID of a panel (repeatable)"),
                option("speed", float, 60.0, "how many times faster than written (1 or more)"),
                option("healthy", bool, False, "only a healthy morning, without any fault"),
            ],
            pos_arg="only",
        ),
    }


def task_quiet_day():
    """a normal day that fails if anything fires"""
    return {
        "basename": "quiet-day",
        **task(
            "scenarios.tasks.quiet_day:quiet_day",
            params=[
                option("seed", int, None, "repeats a day (default: chosen at random, and printed)"),
                option("speed", float, 960.0, "how many times faster than written (1 to 1440)"),
            ],
        ),
    }


def task_demo():
    """the stack with a week behind it and people at work, to show; Ctrl-C ends it"""
    return task(
        "scenarios.tasks.demo:demo",
        params=[
            INSTANCE,
            option("speed", float, 1.0, "how many times faster than written it lives"),
            option("port-offset", int, 0, "added to each default port"),
            option("seed", int, None, "repeats a demo (default: chosen, and printed)"),
            option("no-history", bool, False, "without a past: dashboards begin empty"),
        ],
    )


def task_incident():
    """begin a proven scenario's fault on a running instance, on cue; without a name, list them"""
    return task(
        "scenarios.tasks.incident:incident",
        params=[
            INSTANCE,
            option("end", bool, False, "put all right, or only the incidents that are named"),
            {
                **option("for", str, "", "how long, in the instance's own time, such as 5m"),
                "name": "lasts",
            },
            {
                **option("schedule", bool, False, "live a day of incidents that nobody chose"),
                "name": "by_schedule",
            },
            option("seed", int, None, "repeats such a day (default: chosen, and printed)"),
        ],
        pos_arg="names",
    )


def task_lint():
    """ruff, its format, mypy and the contract on imports, over the whole tree"""
    return task("stack.tasks.dev:lint")


def task_test():
    """lint, then every test; arguments go to pytest (`doit test -- -k speed`)"""
    return task("stack.tasks.dev:test", pos_arg="arguments")
