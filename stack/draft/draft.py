"""All that belongs to one alert, drafted: rule, unit tests, scenario, runbook and panel."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stack.check import dashboardfiles
from stack.check.bounds import COLOURS
from stack.check.configuration import Configuration
from stack.check.dashboardfiles import Dashboard
from stack.check.names import runbook_path, runbook_url, scenario_path, snake_case
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, get, text
from stack.config.audience import CHANNELS, HOME, TEAMS, destinations
from stack.draft import files
from stack.errors import BadInput

SEVERITIES = tuple(one for one in CHANNELS if one != "none")
"""Those that an alert of one's own may have: `none` is the heartbeat's."""

LONGEST = 60
"""Characters of a name: it becomes that of files and of series."""

_CAMEL = re.compile(r"(?=.*[a-z])[A-Z][A-Za-z0-9]*")
_PIECES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pieces"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    # Rules and dashboards have `{{ … }}` of their own.
    variable_start_string="[[",
    variable_end_string="]]",
)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One file that belongs to an alert, as it is and as it is to be."""

    what: str
    """`rule`, `unit tests`, `scenario`, `runbook` or `panel`."""
    path: Path
    before: str | None
    """None: the file is not there yet."""
    block: str
    """The text that is drafted."""
    after: str

    @property
    def line(self) -> int:
        """Where the draft begins, counted from 1."""
        return self.after[: self.after.index(self.block)].count("\n") + 1

    @property
    def drafted(self) -> bool:
        """An earlier try was ended after it had written this."""
        return self.before is not None and self.block in self.before

    def has(self, alert: str) -> bool:
        """Whether the file says something of the alert already."""
        return self.before is not None and re.search(rf"\b{alert}\b", self.before) is not None


def areas(configuration: Configuration) -> dict[str, ConfigFile]:
    """Area → its rule file; where metrics and logs have an area of one name, that of metrics."""
    logs = {file.path.stem: file for file in configuration.log_rules}
    return logs | {file.path.stem: file for file in configuration.rules}


def draft(
    name: str, area: str, severity: str, configuration: Configuration, scenarios: Path
) -> list[Piece]:
    """The pieces, in the order in which they are filled in. Nothing is written.

    Raises BadInput for a name that is taken or is not CamelCase, an unknown area or severity, and
    for files into which nothing can be put.
    """
    if configuration.problems:
        raise BadInput(
            configuration.problems[0].text(configuration.root),
            cure="`doit check` shows all that cannot be read; fix it first.",
        )
    _check_name(name, configuration)
    known = areas(configuration)
    for what, given, choices in (("area", area, known), ("severity", severity, SEVERITIES)):
        if given not in choices:
            raise BadInput(f"there is no {what} `{given}`.", cure=nearest(given, choices))
    found = _pieces(name, severity, known[area], configuration, scenarios)
    _check_free(name, found)
    return found


def _check_name(name: str, configuration: Configuration) -> None:
    if not _CAMEL.fullmatch(name) or len(name) > LONGEST:
        words = re.findall(r"[A-Za-z0-9]+", name)
        better = "".join(word[:1].upper() + word[1:] for word in words)[:LONGEST]
        mean = f"Did you mean `{better}`?" if _CAMEL.fullmatch(better) else ""
        raise BadInput(
            f"`{name}` cannot be the name of an alert: it must be CamelCase, such as"
            f" `DiskSpaceWarning`, of at most {LONGEST} letters and digits.",
            cure=mean,
        )
    for alert in configuration.alerts:
        # Files are named after alerts in small letters.
        if alert.name.lower() == name.lower():
            raise BadInput(
                f"there is an alert `{alert.name}` already:"
                f" {alert.path.relative_to(configuration.root)}:{alert.line}.",
                cure="Edit it, or choose another name.",
            )


def _check_free(name: str, pieces: list[Piece]) -> None:
    """Files of that name that somebody has written are never touched."""
    taken = [piece for piece in pieces if piece.has(name) and not piece.drafted]
    if taken:
        listed = ", ".join(f"{piece.path} ({piece.what})" for piece in taken)
        raise BadInput(
            f"something of `{name}` is there without a rule: {listed}.",
            cure="Remove it, or choose another name.",
        )


def _pieces(
    name: str, severity: str, rules: ConfigFile, configuration: Configuration, scenarios: Path
) -> list[Piece]:
    area, root = rules.path.stem, configuration.root
    on_logs = rules in configuration.log_rules
    team = area if area in TEAMS else ""
    words: dict[str, object] = {
        "name": name, "severity": severity, "team": team, "home": team or HOME, "area": area,
        "stem": snake_case(name), "runbook_url": runbook_url(name), "colour": COLOURS[severity],
        "wants": destinations(severity, team), "on_logs": on_logs,
    }  # fmt: skip
    dashboard = _dashboard(rules, configuration)
    words |= {"uid": dashboard.uid, **_place(dashboard, name)}
    tests = rules.path.parent.parent / "tests" / rules.path.name
    ends: list[tuple[str, Path, str, Put]] = [
        ("rule", rules.path, "logrule.yml" if on_logs else "rule.yml",
         lambda text, block: files.into_group(text, block, area)),
        ("unit tests", tests, "logtests.yml" if on_logs else "tests.yml", files.into_tests),
        ("scenario", scenarios / scenario_path(name, rules.path), "scenario.py", files.alone),
        ("panel", dashboard.path, "panel.json", files.into_panels),
        ("runbook", runbook_path(name, root), "runbook.md", files.alone),
    ]  # fmt: skip
    return [_piece(what, path, _PIECES.get_template(f"{source}.j2").render(words), put)
            for what, path, source, put in ends]  # fmt: skip


Put = Callable[[str, str], files.Put]


def _piece(what: str, path: Path, block: str, put: Put) -> Piece:
    before = path.read_text() if path.exists() else None
    try:
        done = put(before or "", block)
    except files.Shapeless as error:
        raise BadInput(f"{path}: {error.what}", cure="Restore it; nothing was written.") from None
    return Piece(what=what, path=path, before=before, block=done.block, after=done.content)


def _dashboard(rules: ConfigFile, configuration: Configuration) -> Dashboard:
    """The one that shows most of the area's alerts."""
    shown = Counter(
        text(alert.annotation("dashboard_uid"))
        for alert in configuration.alerts
        if alert.path == rules.path
    )
    known = {one.uid: one for one in dashboardfiles.load(configuration.root).all}
    for uid, _ in shown.most_common():
        if uid in known:
            return known[uid]
    raise BadInput(
        f"no dashboard shows an alert of `{rules.path.name}`, so none can show another.",
        cure="Restore it; `doit check` says what is missing.",
    )


def _place(dashboard: Dashboard, name: str) -> dict[str, int]:
    """Id and position of a panel below all others; those of the alert's own if it is there."""
    others = [one for one in dashboard.panels if name not in one.alerts]
    ends = [_number(one.node, "gridPos", "y") + _number(one.node, "gridPos", "h")
            for one in others]  # fmt: skip
    return {
        "number": max((_number(one.node, "id") for one in others), default=0) + 1,
        "below": max(ends, default=0),
    }


def _number(node: yaml.Node, *keys: str) -> int:
    found = text(get(node, *keys))
    return int(found) if found.isdigit() else 0
