"""`doit reproduce`: build again under hostile variations, and show what comes out differently."""

from collections.abc import Iterable, Iterator

from stack import progress
from stack.errors import CheckFailed, HostCannot
from stack.store.derivation import known_system
from stack.store.packageset import PackageSet
from stack.store.reproduce import Outcome, Reproduction, reproduced


def reproduce(packages: list[str], system: str) -> None:
    """Build packages (all but optional ones and those on demand, if none is named) and what they
    need once plainly and once under each variation; print what came out.

    Raises CheckFailed if anything differs, with the differing files and bytes; HostCannot if all
    is the same but this machine could not try a variation.
    """
    package_set = PackageSet(system=known_system(system) if system else None)
    with progress.shown() as report:
        found = reproduced(packages or None, package_set, report)
    for each in found.outcomes:
        progress.result("", "compared", variation=each.variation, cannot=each.cannot,
                        differing=each.differing)  # fmt: skip
    for line in table(found):
        progress.result(line)
    judge(found.outcomes)


def table(found: Reproduction) -> Iterator[str]:
    """A line for each package and a column for each variation, then what these are."""
    widths = [max(len(each.variation), 4) for each in found.outcomes]
    heads = (
        each.variation.ljust(width) for each, width in zip(found.outcomes, widths, strict=True)
    )
    yield f"{'':19} {' '.join(heads)}".rstrip()
    for package in found.packages:
        cells = (
            _cell(package, each).ljust(width)
            for each, width in zip(found.outcomes, widths, strict=True)
        )
        yield f"{package:19} {' '.join(cells)}".rstrip()
    for each in found.outcomes:
        said = f"not possible here: {each.cannot}" if each.cannot else each.about
        yield f"{each.variation:8} {said}"


def _cell(package: str, outcome: Outcome) -> str:
    if outcome.cannot or package in outcome.unknown:
        return "-"
    return "DIFF" if package in outcome.differing else "same"


def judge(outcomes: Iterable[Outcome]) -> None:
    """Raise CheckFailed for what differs, HostCannot for what could not be tried."""
    differing = [
        f"`{package}` comes out differently under `{each.variation}` ({each.about}):\n"
        + "\n".join(f"    {line}" for line in lines)
        for each in outcomes
        for package, lines in each.differing.items()
    ]
    if differing:
        raise CheckFailed(
            "\n".join(differing), cure="Left is the plain build, right the one under variation."
        )
    if cannot := [each.variation for each in outcomes if each.cannot]:
        raise HostCannot(
            f"what could be tried is the same; {', '.join(cannot)} could not be tried",
            cure="See the reasons above.",
        )
