"""Which workers a master has and which it has lost, and what the load lacked meanwhile. Pure."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

SHOWN = 6
"""Characters of the random end of an id by which a worker is told from others of its machine."""


def name(worker: str) -> str:
    """Short for people: host and a few characters, of locust's `HOST_<32 characters>`."""
    host, _, random = worker.rpartition("_")
    return f"{host}-{random[:SHOWN]}" if host else worker


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A worker that is no longer there."""

    worker: str
    users: int
    """That it had, or sources of arrivals."""
    heard: float
    """When it was last heard of, Unix seconds."""
    left: bool
    """It said so."""

    @property
    def words(self) -> str:
        how = "left" if self.left else "vanished"
        return f"worker {name(self.worker)} {how}, last heard of at {clock(self.heard)}"


@dataclass(kw_only=True)
class Roster:
    """What a master sees of its workers, looked at again and again."""

    gone: list[Gone] = field(default_factory=list)
    """All that were lost, in that order."""
    lacked: float = 0.0
    """User seconds: how many of those wanted were not at work, and for how long, after a loss."""
    heard: dict[str, float] = field(default_factory=dict)
    """Worker → when it was last heard of."""
    _here: dict[str, int] = field(default_factory=dict)
    _short_since: float | None = None
    _looked: float = 0.0
    _now_short: int = 0

    @property
    def is_short(self) -> bool:
        """Whether what a lost worker did is not done by the others yet."""
        return self._short_since is not None

    def look(
        self, now: float, here: Mapping[str, int], missing: frozenset[str], wanted: int
    ) -> list[str]:
        """What is new, in words. `here`: worker → users at work there; `missing`: silent ones."""
        said, lost_ones = [], [one for one in self._here if one not in here]
        for worker in lost_ones:
            lost = Gone(worker=worker, users=self._here.pop(worker), left=worker not in missing,
                        heard=self.heard.get(worker, now))  # fmt: skip
            self.gone.append(lost)
            # Until it was found out, nobody did what it had to do.
            self._short_since = min(self._short_since or now, lost.heard)
            self.lacked += 0.0 if lost.left else lost.users * (now - lost.heard)
            others = f"the {len(here)} others" if len(here) > 1 else "the one that is left"
            to = f"; its {lost.users} of {wanted} users go to {others}" if here else ""
            said.append(f"{lost.words}{to}")
        back = {one.worker for one in self.gone if one.worker in here} - self._here.keys()
        said += [f"worker {name(one)} is back" for one in sorted(back)]
        self._here.update(here)
        said += self._shortfall(now, sum(here.values()), wanted, now if lost_ones else self._looked)
        self._looked = now
        return said

    def _shortfall(self, now: float, at_work: int, wanted: int, since: float) -> list[str]:
        if self._short_since is None:
            return []
        self._now_short = max(0, wanted - at_work)
        if self._now_short:
            self.lacked += self._now_short * (now - since)
            return []
        short_s, self._short_since = now - self._short_since, None
        return [f"all {wanted} users are at work again; some were missing for {short_s:.1f} s"]

    def summary(self, pace_s: float) -> list[str]:
        """What has to be said in the end. `pace_s` as of sources of arrivals; 0 for people who
        wait."""
        said = [one.words for one in self.gone]
        if self.lacked >= 1:
            what = (f"{self.lacked / pace_s:.0f} requests were not offered" if pace_s
                    else f"{self.lacked:.0f} seconds of one user's work were missing")  # fmt: skip
            said.append(f"because of that some {what}; what a worker that vanished did after it was"
                        " last heard of is not counted")  # fmt: skip
        if self.is_short:
            said.append(f"in the end {self._now_short} users were still missing")
        return said


def clock(at: float) -> str:
    """The time of day of Unix seconds, to tenths."""
    return f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at * 10) % 10}"
