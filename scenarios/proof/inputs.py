"""The inputs of a proof: all that its verdict follows from, by name, each as SHA-256.

    Inputs(configuration, found, speed=60).of(scenario_file)
    # {"rule": "5f…", "route": "c0…", "scenario": "9a…", "stack/run": "77…", "speed": "e2…", …}

Of the configuration they are those of `configured`, of the code those of `codefiles`: whatever the
scenario and what plays and judges it import, with the programs of all services. Where it is not
certain that something counts, it does.
"""

import hashlib
import json
import os
import platform
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from scenarios.proof import sealed
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.codefiles import Code, Imports
from scenarios.proof.configured import Configured
from stack.check.configuration import Configuration
from stack.paths import REPO, cache_dir
from stack.run.choice import CHOICES
from stack.run.services import SERVICES
from stack.store.packageset import PackageSet, closures

PLAYS = "scenarios/proof/run.py"
"""The module that leads to all that plays and judges."""

PACKAGE = "package "
"""How the name of an input begins that is a package."""

ASKED_ANEW = ("scenarios/proof/usable.py",)
"""What each run does, whatever it proves: no verdict follows from it."""


class Inputs:
    """The inputs of all proofs of one configuration."""

    def __init__(
        self,
        configuration: Configuration,
        found: Iterable[ScenarioFile],
        *,
        speed: float,
        packages: Mapping[str, str],
        repo: Path = REPO,
        imports: Imports | None = None,
    ) -> None:
        """`found` are all scenarios, `packages` those that an instance is made of: name → name in
        the store. `imports` as for `Code`."""
        self._root = configuration.root
        self._configured = Configured(configuration, [one.scenario for one in found])
        self._speed = speed
        self._packages = packages
        self._repo = repo
        self._code = Code(repo, imports)

    def of(self, one: ScenarioFile) -> dict[str, str]:
        """Those of an alert's proof."""
        own = self._code.closure(one.file) - self._machinery
        return {
            **self._configured.alert(one.scenario, self._speed),
            "scenario": self._code.sha256(one.file),
            **{self._called(file): self._code.sha256(file) for file in sorted(own - {one.file})},
            **self._common,
        }

    def of_routing(self, module: Path) -> dict[str, str]:
        """Those of a routing case that this module plays."""
        own = self._code.closure(module) - self._machinery
        return {
            **self._configured.routing(),
            **{self._called(file): self._code.sha256(file) for file in sorted(own)},
            **self._common,
        }

    @property
    def newest_s(self) -> float:
        """When the last of the files that count was changed, Unix seconds."""
        there = [file for file in self._root.rglob("*") if "__pycache__" not in file.parts]
        times = [0.0]
        for file in (*self._code.files, *there):
            try:
                times.append(file.stat().st_ctime)
            except OSError:
                return float("inf")  # it was there a moment ago
        return max(times)

    @cached_property
    def _machinery(self) -> frozenset[Path]:
        """What plays and judges, and the programs of the services."""
        but = [self._repo / one for one in ASKED_ANEW]
        return self._code.closure(self._repo / PLAYS, but=but)

    @cached_property
    def _common(self) -> dict[str, str]:
        requirements = self._repo / "requirements.txt"
        folders: dict[Path, list[Path]] = {}
        for file in self._machinery - {requirements}:
            folders.setdefault(file.parent, []).append(file)
        code = {self._code.name(at): self._code.together(folders[at]) for at in sorted(folders)}
        if audience := code.pop("stack/config", ""):
            code = {"audience table": audience, **code}
        libraries = self._code.sha256(requirements) + _locust(self._repo)
        choices = {one.what: _sha256(one.of(self._packages)) for one in CHOICES}
        return {
            **code,
            **{f"{PACKAGE}{name}": _sha256(path) for name, path in sorted(self._packages.items())},
            **{f"choice of {what}": said for what, said in choices.items()},
            "Python and its libraries": _sha256(f"{sys.version}\0{libraries}"),
            "machine": _sha256(f"{platform.system()}\0{platform.machine()}"),
            "speed": _sha256(f"{self._speed:g}"),
        }

    def _called(self, file: Path) -> str:
        name = self._code.name(file)
        if name.startswith("loadgen/faults/"):
            return f"fault {name}"
        return f"traffic {name}" if name.startswith("loadgen/") else name


def _locust(repo: Path) -> str:
    """Its settings: it reads them from pyproject.toml, wherever it runs."""
    try:
        document = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))
        return json.dumps(document["tool"]["locust"], sort_keys=True, default=str)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return repr(error)


def packages(package_set: PackageSet | None = None) -> dict[str, str]:
    """Name → name in the store, of what a new instance is made of here. Raises LabError."""
    package_set = package_set or PackageSet()
    lock = package_set.pinned()
    derivations = package_set.derivations(lock)
    store = package_set.store(lock)
    wanted = [service.package for service in SERVICES.values() if service.package]
    for choice in CHOICES:
        real = choice.variant() == choice.real
        # The lab's own may run without what is not to be had here.
        wanted += choice.packages if real else [
            name for name in choice.own_packages if store.path(derivations[name]).is_dir()
        ]  # fmt: skip
    return {name: one.store_name for name, one in closures(wanted, derivations).items()}


class Remembered:
    """What modules import, from one run to the next: by their content, so it is always true."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or cache_dir() / "verdicts" / "imports.json"
        self.imports: dict[str, Sequence[str]] = {}
        try:
            found = sealed.read(self._file)
        except (OSError, ValueError):
            found = None
        if isinstance(found, dict) and found.get("by") == _reader():
            self.imports = dict(found["imports"])
        self._known = set(self.imports)

    def keep(self) -> None:
        """Write it if there is something new; where that is not possible, the next run looks
        again."""
        if set(self.imports) != self._known:
            try:
                sealed.write(self._file, {"by": _reader(), "imports": self.imports})
            except OSError:
                return


def _reader() -> str:
    """What has read the modules: another version of it may read more in them."""
    source = Path(__file__).with_name("codefiles.py").read_bytes()
    return hashlib.sha256(source + sys.version.encode()).hexdigest()


def _sha256(said: str) -> str:
    return hashlib.sha256(os.fsencode(said)).hexdigest()
