"""What is done every night, in this order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

INSTANCE = "nightly"
"""What is backed up, and goes when it was."""

FUZZ_INPUTS = "10000"
"""Bad inputs for each reader: a million take hours."""

NIGHTS = 7
"""After so many all long tests have had their turn: together they take half a day."""

_MINUTE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Some tasks, one after the other until one fails. Their output is the stage's log."""

    name: str
    commands: Sequence[Sequence[str]]
    """Each a task with its arguments, in which `{folder}` stands for the stage's own folder,
    `{reports}` for that of all reports and `{night}` for which of NIGHTS it is."""
    afterwards: Sequence[str] = ()
    """One more, whatever came of the others."""
    limit_s: float
    """Real seconds after which it is ended: several times what it takes on two cores."""
    report: str = ""
    """What to look at when it failed, in the stage's folder; its log if there is no such file."""
    vital: bool = False
    """Nothing after it can be done without it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables, unless they are set already."""


STAGES = (
    Stage(name="check", commands=[["check"]], limit_s=10 * _MINUTE_S),
    Stage(name="build", commands=[["build"]], limit_s=30 * _MINUTE_S, vital=True),
    Stage(
        name="alerts",
        commands=[
            ["verify-alerts", "--history", "{reports}/history.json", "--attest"],
            ["verify-report"],
        ],
        limit_s=30 * _MINUTE_S,
        report="latest/report.html",
    ),
    Stage(name="dashboards", commands=[["verify-dashboards"]], limit_s=30 * _MINUTE_S,
          report="dashboards-*/report.html"),
    Stage(name="quiet-day", commands=[["quiet-day"]], limit_s=15 * _MINUTE_S),
    Stage(
        name="restore",
        commands=[
            ["up", "--instance", INSTANCE, "--speed", "60", "--port-offset", "20000"],
            ["load", "--instance", INSTANCE, "--users", "5", "--for", "30s"],
            ["backup", "--instance", INSTANCE, "--keep", "1", "--verify"],
        ],
        afterwards=["down", "--instance", INSTANCE, "--wipe"],
        limit_s=15 * _MINUTE_S,
    ),
    Stage(name="reproduce", commands=[["reproduce"]], limit_s=60 * _MINUTE_S),
    Stage(name="sbom", commands=[["sbom", "--output", "{folder}/sbom.json"]],
          limit_s=5 * _MINUTE_S),
    Stage(
        name="capacity",
        commands=[["capacity", "scheduler", "--for", "4m", "--history", "{reports}/capacity.json"]],
        limit_s=30 * _MINUTE_S,
        report="latest/report.html",
    ),
    Stage(
        name="tests",
        commands=[
            ["test", "-m", "nightly", f"--share={{night}}/{NIGHTS}",
             "--junitxml={folder}/junit.xml"],
        ],
        limit_s=120 * _MINUTE_S,
        environment={"FUZZ_INPUTS": FUZZ_INPUTS},
    ),
)  # fmt: skip
