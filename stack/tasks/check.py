"""`doit check`: is the configuration that people edit whole, before anything is started?"""

from dataclasses import replace

from stack import progress
from stack.check import dashboardfiles, offered
from stack.check.configuration import load
from stack.check.probed import Answers
from stack.check.problem import ProblemsFound
from stack.check.programs import Programs
from stack.check.run import Setup, find_problems
from stack.check.settings import Reader
from stack.run.services import SERVICES, loki, promtail
from stack.store.packageset import PackageSet, realise

READERS = {
    "promtail/promtail-config.yml": Reader(read=promtail.read_settings, means=promtail.try_lines),
    "loki/loki-config.yml": Reader(read=loki.read_settings, means=loki.try_limits),
}
"""Files of the lab's own programs, and how these read them."""

SCRAPED = {
    name: "/probe" if name in ("blackbox-exporter", "proxy") else "/metrics"
    for name in offered.table().jobs
}
"""Service → where it offers metrics."""


HEALTH = {
    service.name: Answers(
        scheme="https" if "https" in service.ports else "http", paths=service.health
    )
    for service in SERVICES.values()
}
"""Service → where it says whether it is well."""


def check() -> None:
    """Check the checkout with the programs of the store. Raises as `run`."""
    run(host_setup())


def host_setup(package_set: PackageSet | None = None) -> Setup:
    """The checkout, the lab's services, and the programs of the store, built if missing.

    Programs of another lock than the checked-in one come from its `package_set`.
    """
    return Setup(
        addresses={
            f"{service.name}:{port}"
            for service in SERVICES.values()
            for port in service.ports.values()
        },
        programs=programs(package_set),
        services=SERVICES,
        readers=READERS,
        scraped=SCRAPED,
        health=HEALTH,
    )


def programs(package_set: PackageSet | None = None) -> Programs:
    """Those that check files, built if missing."""
    names = ["prometheus", "alertmanager", "blackbox_exporter"]
    built = realise(names, package_set or PackageSet())
    return Programs(
        promtool=built["prometheus"] / "bin" / "promtool",
        amtool=built["alertmanager"] / "bin" / "amtool",
        blackbox_exporter=built["blackbox_exporter"] / "bin" / "blackbox_exporter",
    )


def run(setup: Setup) -> None:
    """Print one line on what is good.

    Raises ProblemsFound, which is a CheckFailed, with every problem; HostCannot if promtool or
    amtool cannot be run.
    """
    with progress.shown() as report, report.doing("checking the configuration"):
        configuration = load(setup.config_root)
        problems = find_problems(replace(setup, report=report), configuration)
    for one in problems:  # people read them at the end
        progress.result("", "problem", check=one.check, path=one.shown(setup.shown_from),
                        line=one.line, what=one.what, cure=one.cure)  # fmt: skip
    if problems:
        raise ProblemsFound(problems, setup.shown_from)
    counts = {
        "alerts": len(configuration.alerts),
        "receivers": len(configuration.receivers),
        "template files": len(configuration.templates),
        "dashboards": len([*dashboardfiles.folder(setup.config_root).glob("*.json")]),
    }
    *most, last = (f"{count} {what}" for what, count in counts.items())
    counted = {what.replace(" ", "_"): count for what, count in counts.items()}
    progress.result(f"{', '.join(most)} and {last} are good.", "good", **counted)
