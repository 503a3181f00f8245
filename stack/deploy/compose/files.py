"""Which files describe the stack under Compose, and what a person said in `.env`."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from stack.errors import BadInput, HostCannot
from stack.paths import CONFIG_ROOT

_BASE = "docker-compose.monitoring.yml"
_PRODUCTION = "docker-compose.monitoring.prod.yml"

STORE = "store"
"""What `IMAGES` says where the store's images are to run."""

_ASSIGNED = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=(?P<value>.*)")


@dataclass(frozen=True, kw_only=True)
class Project:
    """The Compose files of a folder, as one would name them with `-f`."""

    root: Path = CONFIG_ROOT
    production: bool = False

    @property
    def files(self) -> tuple[Path, ...]:
        names = (_BASE, _PRODUCTION) if self.production else (_BASE,)
        return tuple(self.root / name for name in names)

    @property
    def env(self) -> Path:
        return self.root / ".env"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    def script(self, name: str) -> Path:
        return self.root / "scripts" / name

    @property
    def images(self) -> str:
        """`store` or `upstream`. The environment comes before `.env`, as for Compose.

        Raises BadInput where it is neither.
        """
        said = self.value("IMAGES") or "upstream"
        if said not in (STORE, "upstream"):
            raise BadInput(
                f"`{self.env}`: `IMAGES` is `{said}`.", cure=f"Write `upstream` or `{STORE}`."
            )
        return said

    def value(self, name: str) -> str:
        """What Compose puts in place of a variable; "" where nobody said."""
        return os.environ.get(name, values(self.env).get(name, ""))

    def put(self, name: str, value: str) -> None:
        """Have `.env` say so: in place of what it says, or at its end."""
        text = self.env.read_text()
        line = f"{name}={value}"
        changed, found = re.subn(rf"(?m)^{name}=.*$", line, text)
        self.env.write_text(changed if found else f"{text.rstrip()}\n{line}\n")


def values(env: Path) -> dict[str, str]:
    """The variables of an `.env`, without quotes and without what Windows ends lines with; none
    where there is no such file.

    Raises BadInput, naming the line, for what is no assignment.
    """
    try:
        lines = env.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise HostCannot(f"`{env}` cannot be read: {error}.") from None
    found = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ASSIGNED.match(line)
        if not match:
            raise BadInput(
                f"`{env}`, line {number}: this is not NAME=value.",
                cure="Fix it, or begin it with #.",
            )
        found[match["name"]] = _unquoted(match["value"].strip(), f"`{env}`, line {number}")
    return found


def _unquoted(value: str, where: str) -> str:
    if value[:1] in ("'", '"'):
        if len(value) < 2 or value[-1] != value[0]:
            raise BadInput(f"{where}: a quote has no other.", cure="Write both, or none.")
        return value[1:-1]
    return re.split(r"\s+#", value, maxsplit=1)[0]
