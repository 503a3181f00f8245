"""Windows and steps as tests need them."""

from collections.abc import Mapping

from scenarios.capacity.answer import Answer, Machine
from scenarios.capacity.objective import Objective
from scenarios.capacity.search import Found, Plan
from scenarios.capacity.window import Step, Verdict, Window

OBJECTIVE = Objective(quantile=0.95, latency_s=2, errors=0.05, looks_s=300, horizon_s=600,
                      source="a test")  # fmt: skip
MACHINE = Machine(cpu="a CPU", cores=2, memory_bytes=8_000_000_000, system="a system")


def window(
    *, slow: int = 0, of: int = 300, failed: int = 0, dropped: int = 0, late: int = 0,
    in_flight: tuple[int, int] = (0, 0), usage: Mapping[str, float] | None = None,
) -> Window:  # fmt: skip
    return Window(
        seconds=3, offered=of + dropped, dropped=dropped, late=late, failed=failed,
        by_name={"GET /": [0.1] * (of - slow) + [3.0] * slow}, in_flight=in_flight,
        usage=usage or {},
    )  # fmt: skip


def step(
    rate: float, verdict: Verdict = Verdict.HOLDS, *, usage: Mapping[str, float] | None = None,
    late: float = 0.0, offered: float | None = None, why: str = "",
) -> Step:  # fmt: skip
    of = round(3 * (rate if offered is None else offered))
    one = window(of=of, usage=usage, late=round(late * of))
    return Step(rate=rate, windows=(one, one, one), verdict=verdict, why=why)


def answer(*steps: Step, ended: str = "", **more: object) -> Answer:
    given: dict[str, object] = {
        "found": Found(steps=[*steps], ended=ended), "objective": OBJECTIVE, "plan": Plan(),
        "machine": MACHINE, "instance": "Instance `capacity`, 0123456789ab", "started": 1.8e9,
        "took_s": 100.0,
    }  # fmt: skip
    return Answer(**{**given, **more})  # type: ignore[arg-type]
