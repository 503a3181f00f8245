"""Asks a proof about mutants that survived everything that is cheaper.

Several are proven together, as long as they are in different files and about different alerts: each
in the copy of the configuration that all of them change.
"""

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from scenarios.proof import catalogue, run
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.timing import route_timing
from scenarios.routing import run as routing
from stack.check.configuration import Configuration, load
from stack.errors import LabError
from stack.mutation import delivery
from stack.mutation.judge import By, Verdict
from stack.mutation.mutant import Mutant
from stack.paths import REPO
from stack.store import disk

_CHANNELS = 3
"""An alert that goes to so many shows templates of all of them."""

_ROUTING = "routing/*"


def proven(
    survivors: Sequence[Verdict], root: Path, tell: Callable[[str], None]
) -> Iterator[Verdict]:
    """A verdict on each survivor that some proof is about, as they come in. `root` is that of the
    configuration as it is, which no proof writes to."""
    configuration, found = load(root), catalogue.find()
    asked = {one.mutant.name: concerned(one.mutant, configuration, found) for one in survivors}
    left = [one for one in survivors if asked[one.mutant.name]]
    alone: list[Verdict] = []
    while left or alone:
        batch = [alone.pop()] if alone else _together(left, asked)
        left = [one for one in left if one not in batch]
        names = sorted({name for one in batch for name in asked[one.mutant.name]})
        tell(f"proving {', '.join(names)} with {len(batch)} mutants, {len(left)} to come")
        failed = _failures([one.mutant for one in batch], names, root)
        for one in batch:
            others = {name for other in batch if other is not one
                      for name in asked[other.mutant.name]}  # fmt: skip
            why = _why(asked[one.mutant.name], failed)
            if why and len(batch) > 1 and any(name in why for name in others):
                alone.append(one)  # another one's doing, perhaps
            else:
                yield replace(one, by=By.PROOF, said=why) if why else one


def concerned(
    mutant: Mutant, configuration: Configuration, found: Sequence[ScenarioFile]
) -> tuple[str, ...]:
    """The alerts and routing cases that a proof of it plays; empty where none is about it."""
    known = {one.scenario.alert: one.scenario for one in found}
    if mutant.alerts:
        return tuple(sorted(mutant.alerts & known.keys()))
    if mutant.path == delivery.FILE:
        receiver = mutant.subject.partition("`")[2].rstrip("`")
        if not mutant.subject.startswith("receiver"):
            return (_ROUTING,)
        reaching = (name for name, one in known.items()
                    if receiver in route_timing(one.routed, configuration).receivers)  # fmt: skip
        return tuple([*reaching][:1])
    if mutant.path.suffix == ".tmpl":
        loud = (name for name, one in known.items() if len(one.notifications) == _CHANNELS)
        return tuple([*loud][:1])
    return ()


def _together(left: Sequence[Verdict], asked: Mapping[str, Sequence[str]]) -> list[Verdict]:
    """As many as do not get into each other's way."""
    batch: list[Verdict] = []
    files: set[Path] = set()
    names: set[str] = set()
    for one in left:
        wanted = asked[one.mutant.name]
        if one.mutant.path not in files and names.isdisjoint(wanted):
            batch.append(one)
            files.add(one.mutant.path)
            names.update(wanted)
    return batch


def _why(asked: Sequence[str], failed: Mapping[str, str]) -> str:
    """Why one of them failed; empty if none did."""
    whole = tuple(one.rstrip("*") for one in asked)
    return next((f"{name}: {why}" for name, why in failed.items() if name.startswith(whole)), "")


def _failures(mutants: Sequence[Mutant], names: Sequence[str], root: Path) -> dict[str, str]:
    """Alert or routing case → why it is not proven with these mutants."""
    with disk.scratch("proof-of-mutants-") as folder:
        copy, reports = folder / "config", folder / "reports"
        shutil.copytree(root, copy)
        for one in mutants:
            (copy / one.path).write_text(one.content, encoding="utf-8")
        command = [sys.executable, "-m", "scenarios.mutants.prove", str(copy), str(reports), *names]
        process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.STDOUT)  # fmt: skip
        try:
            said, _ = process.communicate()
        except KeyboardInterrupt:  # which the proof has got as well: it puts everything back
            process.communicate()
            raise
        file = reports / "latest" / "junit.xml"
        if not file.exists():
            last = (said.strip().splitlines() or ["it said nothing"])[-1]
            return dict.fromkeys(names, f"no proof can begin: {last}")
        return {
            case.attrib["name"]: failure.attrib.get("message", "")
            for case in ET.parse(file).iter("testcase")
            for failure in case.iter("failure")
        }


def main(arguments: Sequence[str]) -> int:
    """`python -m scenarios.mutants.prove CONFIGURATION REPORTS NAME...`"""
    copy, reports, *names = arguments
    try:
        return run.verify_alerts(names, routing=routing, config_root=Path(copy),
                                 reports=Path(reports))  # fmt: skip
    except LabError as error:
        print(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
