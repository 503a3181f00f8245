"""What the jobs of a configuration make of lines whose level and time are known.

Rules on logs read the labels `service` and `level`: a stage that no longer finds one of them takes
the alert away without a word.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from stack.errors import BadInput
from stack.programs.logship.patterns import expanded
from stack.programs.logship.settings import Target, read


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One line of a service."""

    log: str
    """Its file is `LOG.log`."""
    text: str
    level: str = ""
    """Empty for a line that has none."""
    time_ns: int | None = None
    """When it says that it was written, if it does so in UTC."""
    goes_on: str = ""
    """The line after it, which belongs to it; empty if the service writes none such."""


def check(file: Path, samples: Iterable[Sample], folder: str) -> None:
    """Raise BadInput, naming file and key, for the first line of which the configuration in `file`
    makes something else. `folder` is that of the logs, as `file` names it.
    """
    targets = read(file).targets
    for sample in samples:
        path = f"{folder}{sample.log}.log"
        takers = [place for place, target in enumerate(targets) if _takes(target, path)]
        if len(takers) != 1:
            by = " and ".join(f"`{targets[place].job}`" for place in takers) or "no job"
            # Where several read it, the last one should leave it out.
            place = takers[-1] if takers else _nearest(path, targets)
            raise BadInput(
                f"`{file}`: `{_scrape(place, targets)}.static_configs[0].labels.__path__`: "
                f"`{sample.log}.log` is read by {by}.",
                cure="One job must read each file: see `__path__` and `__path_exclude__`.",
            )
        for what in _wrong(sample, targets[takers[0]], folder):
            raise BadInput(
                f"`{file}`: `{_scrape(takers[0], targets)}.pipeline_stages`: of `{sample.text}` in "
                f"`{sample.log}.log` {what}.",
                cure="Fix the stage; rules on logs read what it finds.",
            )


LONGEST_S = 10.0
"""A line may be on its way for so long: rules on logs look back over minutes."""
_ROOM_BYTES = 4096
"""What nobody writes a longer line than, but with a traceback in it."""


def check_way(file: Path) -> None:
    """Raise BadInput where lines arrive much too late, or what matters of them does not."""
    settings = read(file)
    client, waits = settings.client, [("clients[0].batchwait", settings.client.batch_wait_s)]
    waits.append(("target_config.sync_period", settings.sync_s))
    for target in settings.targets:
        if target.pipeline.multiline:
            at = f"{_scrape_of(target, settings.targets)}.pipeline_stages[0].multiline"
            waits.append((f"{at}.max_wait_time", target.pipeline.multiline.max_wait_s))
    for key, wait_s in waits:
        if wait_s > LONGEST_S:
            raise BadInput(
                f"`{file}`: `{key}`: lines would wait for {wait_s:g} s before they are sent.",
                cure=f"At most {LONGEST_S:g} s: alerts on logs come later by what is waited here.",
            )
    if settings.max_line_bytes < _ROOM_BYTES:
        raise BadInput(
            f"`{file}`: `limits_config.max_line_size`: lines are cut after "
            f"{settings.max_line_bytes} bytes.",
            cure=f"Leave at least {_ROOM_BYTES}: rules and people read what is in a line.",
        )
    if client.timeout_s < _QUICKEST_S:
        raise BadInput(
            f"`{file}`: `clients[0].timeout`: no answer of the log store is waited for.",
            cure=f"Give it at least {_QUICKEST_S:g} s.",
        )


_QUICKEST_S = 1.0
"""A store that is busy answers that fast; without an answer, all is sent again."""


def _scrape_of(target: Target, targets: Sequence[Target]) -> str:
    return _scrape(targets.index(target), targets)


def _scrape(place: int, targets: Sequence[Target]) -> str:
    jobs = list(dict.fromkeys(target.job for target in targets))
    return f"scrape_configs[{jobs.index(targets[place].job)}]"


def _nearest(path: str, targets: Sequence[Target]) -> int:
    paths = [target.path for target in targets]
    return paths.index(get_close_matches(path, paths, n=1, cutoff=0)[0])


def _takes(target: Target, path: str) -> bool:
    left_out = any(fnmatchcase(path, pattern) for pattern in expanded(target.exclude))
    return any(fnmatchcase(path, one) for one in expanded(target.path)) and not left_out


_LATER = re.compile(r"((?<!\d)\d\d:\d\d:\d)\d")
"""The second at which a line was written."""


def _wrong(sample: Sample, target: Target, folder: str) -> Iterator[str]:
    multiline = target.pipeline.multiline
    if multiline and not multiline.begins(sample.text):
        yield "it is not seen that a message begins with it"
    if multiline and sample.goes_on and multiline.begins(sample.goes_on):
        yield f"`{sample.goes_on.strip()}` is cut off, which belongs to it"
    given = {**target.labels, "filename": f"{folder}{sample.log}.log"}
    line = target.pipeline.run(sample.text, given)
    if (level := line.labels.get("level", "")) != sample.level:
        yield f"the level is `{level}`, expected `{sample.level}`" if level else "no level is found"
    service = target.labels.get("service", sample.log)
    if line.labels.get("service") != service:
        yield f"the service is `{line.labels.get('service', '')}`, expected `{service}`"
    later = target.pipeline.run(_LATER.sub(r"\g<1>9", sample.text), given)
    for name in line.labels:
        if line.labels[name] != later.labels.get(name):
            yield f"the label `{name}` is another one a moment later: each line would be a stream"
    lost = sample.level and line.time_ns is None  # a local time is some time
    if lost or line.time_ns != (sample.time_ns or line.time_ns):
        yield "the time is not found"
