"""All mutants of a configuration, and a part of them."""

import random
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from stack.check.configuration import Configuration
from stack.errors import BadInput
from stack.mutation import delivery, panels, rules, scrapes, templates
from stack.mutation.changed import Changed
from stack.mutation.mutant import Mutant

KINDS = (rules, delivery, templates, scrapes, panels)


def mutants(configuration: Configuration) -> list[Mutant]:
    """Every one, in the order of files and lines; none that is the same as another, and none that
    leaves its file as it is."""
    found: dict[str, Mutant] = {}
    for one in (each for kind in KINDS for each in kind.mutants(configuration)):
        found.setdefault(f"{one.path}\0{one.content}", one)
    return list(found.values())


def chosen(
    every: Sequence[Mutant], only: Sequence[str], changed: Changed | None = None,
    sample: int = 0, seed: int = 1,
) -> list[Mutant]:  # fmt: skip
    """Those whose alert, receiver, file or the like has one of these names, or matches one of these
    patterns; of what `changed`; and no more than `sample`, 0 for all, drawn with the seed.

    Raises BadInput for a name that nothing has.
    """
    for name in only:
        if not any(_is(one, name) for one in every):
            raise BadInput(
                f"`{name}` is no alert, receiver, template, job or panel, and no file.",
                cure="Name what `doit mutate` is to change, as `HighErrorRate`, `'slack-*'` or"
                " `prometheus/rules/database.yml`.",
            )
    found = [one for one in every if not only or any(_is(one, name) for name in only)]
    if changed is not None:
        found = [one for one in found if changed.has(one)]
    if 0 < sample < len(found):
        kept = {id(one) for one in random.Random(seed).sample(found, sample)}
        found = [one for one in found if id(one) in kept]
    return found


def _is(mutant: Mutant, name: str) -> bool:
    return any(fnmatchcase(one, name) for one in _names(mutant))


def _names(mutant: Mutant) -> Iterator[str]:
    yield from mutant.alerts
    yield mutant.subject
    if mutant.subject.endswith("`"):
        yield mutant.subject.rstrip("`").rpartition("`")[2]
    yield str(mutant.path)
    yield mutant.path.name
    yield mutant.path.stem
