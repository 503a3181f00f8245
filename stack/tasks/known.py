"""Names for a shell to complete, read off the names of files: at once, and also where what is in
them cannot be read. What is typed in the end is judged by the task."""

import re
from collections.abc import Iterable

from stack.paths import CONFIG_ROOT, REPO, state_dir


def tasks() -> list[str]:
    from stack.tasks.dodofile import declared

    return list(declared()[0])


def alerts() -> list[str]:
    """Of Prometheus and Loki."""
    rules = [*CONFIG_ROOT.glob("prometheus/rules/*.yml"), *CONFIG_ROOT.glob("loki/rules/*.yml")]
    found = [re.findall(r"^\s*- alert: (\w+)", file.read_text(), re.MULTILINE) for file in rules]
    return sorted({name for names in found for name in names})


def provable() -> list[str]:
    """Alerts, areas of them, and the routing cases as one."""
    areas = {file.stem for file in CONFIG_ROOT.glob("*/rules/*.yml")}
    return [*alerts(), *sorted(areas), "routing"]


def services() -> list[str]:
    return _modules("stack/run/services")


def packages() -> list[str]:
    return [name.replace("-", "_") for name in _modules("stack/store/packages")]


def dashboards() -> list[str]:
    return sorted(file.stem for file in CONFIG_ROOT.glob("grafana/dashboards/*.json"))


def instances() -> list[str]:
    return sorted(file.parent.name for file in state_dir().glob("instances/*/instance.json"))


def _modules(folder: str) -> list[str]:
    files: Iterable[str] = (file.stem for file in (REPO / folder).glob("[!_]*.py"))
    return sorted(name.replace("_", "-") for name in files)
