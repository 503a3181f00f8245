"""What the engine promises beside the answers: bounds, order, threads, shortcuts."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from stack.logql import Budget, Engine, Kind, LogQLError, MemorySource, check, parse
from stack.logql.ast import LineFilter, Matcher, MetricQuery, RangeAggregation
from stack.logql.frames import Frame
from stack.logql.golang import float_of
from stack.logql.results import Matrix, Streams, Vector
from stack.logql.template import compiled

SECOND = 1_000_000_000


class Watched(MemorySource):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(batch_size=10)
        self.asked: list[tuple[int, int, bool, tuple[LineFilter, ...]]] = []
        self.batches = 0

    def select(self, matchers: Sequence[Matcher], start_ns: int, end_ns: int, **rest):  # type: ignore[no-untyped-def]
        filters = tuple(rest.get("line_filters", ()))
        self.asked.append((start_ns, end_ns, rest.get("backward", False), filters))
        for batch in super().select(matchers, start_ns, end_ns, **rest):
            self.batches += 1
            yield batch


@pytest.fixture
def source() -> Watched:
    source = Watched()
    for at in range(100):
        source.add({"app": "a", "pod": f"p{at % 20}"}, at * SECOND, f"line {at}")
    return source


def test_a_metric_query_asks_for_its_window_alone(source: Watched) -> None:
    Engine(source).query('rate({app="a"}[10s] offset 5s)', 60 * SECOND)
    assert source.asked == [(45 * SECOND + 1, 55 * SECOND + 1, False, ())]


def test_the_source_gets_the_line_filters_that_see_stored_lines(source: Watched) -> None:
    query = '{app="a"} |= "1" | json |= "2" | line_format "x" |= "3"'
    Engine(source).query_range(query, 0, 100 * SECOND, 1, direction="backward")
    ((_, _, backward, filters),) = source.asked
    assert backward
    assert [needle.text for one in filters for needle in one.needles] == ["1", "2"]


def test_a_log_query_stops_reading_at_its_limit(source: Watched) -> None:
    result = Engine(source).query_range('{app="a"}', 0, 100 * SECOND, 1, limit=5)
    assert isinstance(result, Streams)
    assert sum(len(stream.entries) for stream in result.streams) == 5
    assert source.batches == 1


def test_an_interval_thins_out_over_all_streams(source: Watched) -> None:
    for direction in ("forward", "backward"):
        result = Engine(source).query_range(
            '{app="a"}', 0, 100 * SECOND, 1, direction=direction, interval_ns=30 * SECOND
        )
        assert isinstance(result, Streams)
        times = sorted(at for stream in result.streams for at, _ in stream.entries)
        first = 0 if direction == "forward" else 9
        assert times == [(first + 30 * step) * SECOND for step in range(4)]


REFUSED = {
    "series": (Budget(series=19), "maximum number of series (19) reached", Kind.LIMIT),
    "entries": (Budget(entries=99), "too many entries (limit: 99)", Kind.LIMIT),
    "time": (Budget(deadline_s=-1), "request timed out", Kind.DEADLINE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_query_beyond_its_budget_is_refused(source: Watched, name: str) -> None:
    budget, words, kind = REFUSED[name]
    with pytest.raises(LogQLError) as refusal:
        Engine(source, budget=budget).query('count_over_time({app="a"}[2m])', 100 * SECOND)
    assert words in str(refusal.value)
    assert refusal.value.kind is kind


def test_a_budget_that_is_just_enough_is_enough(source: Watched) -> None:
    engine = Engine(source, budget=Budget(series=20, entries=100))
    result = engine.query('count_over_time({app="a"}[2m])', 100 * SECOND)
    assert isinstance(result, Vector)
    assert len(result.samples) == 20


def test_a_log_query_beyond_its_budget_is_refused(source: Watched) -> None:
    engine = Engine(source, budget=Budget(entries=20))
    with pytest.raises(LogQLError, match="too many entries"):
        engine.query_range('{app="a"} |= "nowhere"', 0, 100 * SECOND, 1)


@pytest.mark.parametrize(
    ("step_ns", "words"),
    [(0, "zero or negative"), (-1, "zero or negative"), (1, "exceeded maximum resolution")],
)
def test_steps_are_positive_and_not_too_many(source: Watched, step_ns: int, words: str) -> None:
    with pytest.raises(LogQLError, match=words):
        Engine(source).query_range('rate({app="a"}[1m])', 0, 100 * SECOND, step_ns)
    assert not source.asked


def test_nothing_is_read_for_a_query_with_a_broken_stage(source: Watched) -> None:
    for stage in ('| regexp "("', '| line_format "{{"', '| pattern "x"', '| json a="["'):
        with pytest.raises(LogQLError):
            Engine(source).query_range('{app="a"} ' + stage, 0, SECOND, 1)
        with pytest.raises(LogQLError):
            check(f'sum(rate({{app="a"}} {stage} [1m]))')
    assert not source.asked


class Halves:
    """Answers range aggregations with a constant, and declines the rest."""

    def evaluate(self, query: MetricQuery, times_ns: Sequence[int]) -> Frame | None:
        if isinstance(query, RangeAggregation):
            return {(("app", "a"),): [0.5] * len(times_ns)}
        return None


def test_a_shortcut_answers_parts_of_a_query(source: Watched) -> None:
    engine = Engine(source, shortcut=Halves())
    result = engine.query_range('max(rate({app="a"}[1m])) * 4', 0, 10 * SECOND, 5 * SECOND)
    assert isinstance(result, Matrix)
    (series,) = result.series
    assert series.points == ((0, 2.0), (5 * SECOND, 2.0), (10 * SECOND, 2.0))
    assert not source.asked


def test_queries_in_many_threads_do_not_mix(source: Watched) -> None:
    engine = Engine(source)

    def ask(number: int) -> object:
        query = f'sum(count_over_time({{app="a"}} |= "{number}" | regexp "(?P<n>.)$" [2m]))'
        return engine.query(query, 100 * SECOND)

    alone = [ask(number) for number in range(10)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, list(range(10)) * 5)) == alone * 5


@pytest.mark.parametrize(
    "template",
    ['{{ "a" "b" ' * 30, "{{ " + '"a" ' * 5000, "{{" * 30_000, "{{" + "/*" * 30_000,
     '{{ "' + '\\"' * 30_000, "{{ `a` 'b' " * 5000 + "}", "{{- " * 30_000],
    ids=["few", "strings", "braces", "comments", "escapes", "quotes", "trimmed"],
)  # fmt: skip
def test_action_that_is_not_closed_is_refused_in_one_go(template: str) -> None:
    began = time.process_time()
    with pytest.raises(LogQLError, match=r"template: line:1: "):
        compiled(template)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("text", ["9" * 200_000 + "x", "1" * 200_000 + ".x"])
def test_long_line_that_is_no_number_is_found_to_be_none_in_one_go(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match="ParseFloat"):
        float_of(text)
    assert time.process_time() - began < 1


def test_long_queries_are_not_kept() -> None:
    """Each another, they would fill the memory."""
    texts = [f'{{app="{n}"}}' + "|= `a`" * n for n in (1, 2000)]
    first, second = [parse(text) for text in texts]
    assert parse(texts[0]) is first
    assert parse(texts[1]) is not second
