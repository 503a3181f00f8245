"""The objective is that of the rules; windows decide whether it holds."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.capacity.objective import judged, overridden, read
from scenarios.capacity.window import Verdict, percentile, share
from stack.check import configuration
from stack.errors import BadInput, CheckFailed
from stack.paths import CONFIG_ROOT
from tests.scenarios.capacity.made import OBJECTIVE, window


def rules(root: Path) -> configuration.Configuration:
    return configuration.read(root)


def test_objective_is_read_from_the_rules() -> None:
    found = read(rules(CONFIG_ROOT).alerts)
    assert (found.quantile, found.latency_s, found.errors) == (0.95, 2, 0.05)
    assert found.horizon_s == 600
    assert found.words == (
        "P95 within 2 s and at most 5 % errors (the thresholds of HighLatencyP95 and HighErrorRate)"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- alert: HighErrorRate", "- alert: HighErrorShare", "there is no rule `HighErrorRate`"),
        ("histogram_quantile(0.95,\n            sum by (job, le) (\n              rate(http",
         "max(\n            sum by (job) (\n              rate(http", "has no `histogram_quantile"),
        (") > 2\n", ") > scalar(up)\n", "is compared with no number"),
    ],
)  # fmt: skip
def test_rules_that_state_no_objective_are_told(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    root = tmp_path / "config"
    shutil.copytree(CONFIG_ROOT, root)
    file = root / "prometheus" / "rules" / "application.yml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(CheckFailed, match=said) as refused:
        read(rules(root).alerts)
    assert "--slo" in refused.value.cure


def test_edited_threshold_is_another_objective(tmp_path: Path) -> None:
    root = tmp_path / "config"
    shutil.copytree(CONFIG_ROOT, root)
    file = root / "prometheus" / "rules" / "application.yml"
    file.write_text(file.read_text().replace(") > 2\n", ") > 0.5\n", 1))
    assert read(rules(root).alerts).latency_s == 0.5


@pytest.mark.parametrize(
    ("slo", "latency_s", "errors"),
    [("", 2, 0.05), ("latency=1.5s", 1.5, 0.05), ("errors=1%", 2, 0.01),
     ("latency=300ms,errors=0.5%", 0.3, 0.005), (" latency=1s , errors=2% ", 1, 0.02)],
)  # fmt: skip
def test_slo_overrides_what_it_names(slo: str, latency_s: float, errors: float) -> None:
    found = overridden(OBJECTIVE, slo)
    assert (found.latency_s, found.errors) == (pytest.approx(latency_s), pytest.approx(errors))


@pytest.mark.parametrize(
    "slo", ["fast", "latency=1", "latency=5%", "errors=2s", "errors=100%", "latency=0s", "p95=2s"]
)
def test_slo_that_says_nothing_is_refused(slo: str) -> None:
    with pytest.raises(BadInput, match="is not an objective"):
        overridden(OBJECTIVE, slo)


HOLDS, BREACHES, OPEN = Verdict.HOLDS, Verdict.BREACHES, Verdict.OPEN


@pytest.mark.parametrize(
    ("windows", "verdict"),
    [
        ([window()] * 3, HOLDS),
        ([window()] * 2, OPEN),
        ([window(slow=15)] * 3, OPEN),
        ([window(slow=40)] * 1, OPEN),
        ([window(slow=40)] * 2, BREACHES),
        ([window(), window(), window(slow=300)], OPEN),
        ([window(failed=40)] * 2, BREACHES),
        ([window(dropped=40)] * 2, BREACHES),
        ([window(of=0)] * 3, OPEN),
    ],
    ids=["clear", "too few", "at the limit", "once", "twice", "hiccup", "failed", "dropped",
         "nothing answered"],
)  # fmt: skip
def test_windows_decide_when_they_are_clear(windows: list, verdict: Verdict) -> None:  # type: ignore[type-arg]
    assert judged(OBJECTIVE, windows, last=False)[0] is verdict


@pytest.mark.parametrize(
    ("windows", "verdict"),
    [([window(slow=15)] * 8, HOLDS), ([window(slow=16)] * 8, BREACHES),
     ([window()] * 7 + [window(slow=300)], HOLDS)],
)  # fmt: skip
def test_in_the_end_most_windows_decide(windows: list, verdict: Verdict) -> None:  # type: ignore[type-arg]
    assert judged(OBJECTIVE, windows, last=True)[0] is verdict


def test_growing_queue_is_a_breach_long_before_anybody_waits() -> None:
    found, why = judged(
        OBJECTIVE, [window(in_flight=(10, 40)), window(in_flight=(40, 70))], last=False
    )
    assert found is BREACHES
    assert why.startswith("the queue grows: after 10m requests would wait")


def test_queue_that_only_trembles_is_none() -> None:
    windows = [window(in_flight=(10, 14)), window(in_flight=(14, 8)), window(in_flight=(8, 13))]
    assert judged(OBJECTIVE, windows, last=False)[0] is HOLDS


counts = st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda two: (min(two), max(two)))


@given(st.lists(counts, min_size=1, max_size=9))
def test_share_lies_within_its_interval(found: list[tuple[int, int]]) -> None:
    one = share(found)
    assert 0 <= one.low <= one.middle <= one.high <= 1


def test_share_is_less_sure_of_windows_that_differ() -> None:
    even, uneven = share([(5, 100)] * 4), share([(0, 100), (10, 100), (0, 100), (10, 100)])
    assert even.middle == uneven.middle
    assert uneven.high - uneven.low > even.high - even.low


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 0.99))
def test_percentile_is_what_that_share_does_not_exceed(values: list[float], of: float) -> None:
    found = percentile(sorted(values), of)
    assert sum(one <= found for one in values) >= of * len(values) - 1e-9
    assert found in values
