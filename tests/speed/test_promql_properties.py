"""Properties of scaled PromQL, over expressions made from a small grammar."""

import subprocess
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import promql_parser as parser
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stack import durations, speed
from stack.store.packageset import realise

TRICKY = ["5m", "[5m]", "offset 5m", "a[1h:1m]", "#", "{", "}", "é > 3600", "it's", "time() - x"]
FIRST, SECOND = 4, 15
"""Lengths are made of multiples of both, so that each division is exact."""

names = st.sampled_from(["up", "job:x:rate5m", "node_load5", "offset_total", "x"])
labels = st.sampled_from(["job", "le", "offset", "by", "instance"])
lengths = st.integers(1, 40).map(lambda n: durations.duration(n * FIRST * SECOND))
gaps = st.sampled_from(["", " ", "\n  ", " # 5m [1h]\n"])


@st.composite
def selectors(draw: st.DrawFn) -> str:
    matchers = [
        f"{draw(labels)}{draw(st.sampled_from(['=', '!=', '=~']))}{_quoted(draw)}"
        for _ in range(draw(st.integers(0, 2)))
    ]
    return draw(names) + (f"{{{', '.join(matchers)}}}" if matchers else "")


def _quoted(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(TRICKY))
    quote = draw(st.sampled_from(['"', "`"] + ([] if "'" in text else ["'"])))
    text = text.replace("[", r"\\[").replace("{", r"\\{") if quote == '"' else text
    return f"{quote}{text}{quote}"


@st.composite
def offsets(draw: st.DrawFn) -> str:
    sign = draw(st.sampled_from(["", "-", "- "]))
    word = draw(st.sampled_from(["offset", "OFFSET"]))
    return draw(st.sampled_from(["", "", f" {word} {sign}{draw(lengths)}"]))


@st.composite
def windows(draw: st.DrawFn, vectors: st.SearchStrategy[str]) -> str:
    gap = draw(gaps)
    if draw(st.booleans()):
        return f"{draw(selectors())}{gap}[{draw(lengths)}]{draw(offsets())}"
    step = draw(st.sampled_from(["", draw(lengths)]))
    return f"({draw(vectors)})[{draw(lengths)}:{step}]{draw(offsets())}"


def grown(vectors: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    number = st.sampled_from(["0", "1.5", "3600", "1e3", "24*3600", "-60", "Inf"])
    comparison = st.sampled_from([">", "<=", "== bool", "*", "/", "-"])
    function = st.sampled_from(["rate", "increase", "max_over_time", "deriv", "absent_over_time"])
    return st.one_of(
        st.builds("{}({})".format, function, windows(vectors)),
        st.builds("sum by ({}) ({})".format, labels, vectors),
        st.builds("topk(5, {})".format, vectors),
        st.builds("({}){}{} {}".format, vectors, gaps, comparison, number),
        st.builds("({}) {} ({})".format, vectors, st.sampled_from(["and", "or on (le)"]), vectors),
        st.builds('label_replace({}, "w", "[5m]", "x", "(.*)")'.format, vectors),
        st.builds("-{}".format, vectors.map("({})".format)),
    )


expressions = st.recursive(st.builds("{}{}".format, selectors(), offsets()), grown, max_leaves=6)


def _valid(expr: str) -> bool:
    try:
        parser.parse(expr)
    except ValueError:
        return False
    return True


queries = expressions.filter(_valid)


def scaled(expr: str, factor: float) -> str:
    return speed.scale_expression(expr, factor, scrape_interval_s=0, numbers=False)


def shape(expr: parser.Expr) -> list[tuple[object, ...]]:
    """Everything of an expression but its lengths of time, in the parser's own words."""
    found: list[tuple[object, ...]] = []

    def visit(node: parser.Expr) -> None:
        match node:
            case parser.VectorSelector():
                found.append((node.name, str(node.matchers)))
            case parser.Call():
                found.append((node.func.name, len(node.args)))
            case parser.BinaryExpr():
                found.append(
                    (str(node.op), node.modifier is not None and node.modifier.return_bool)
                )
            case parser.AggregateExpr():
                found.append((str(node.op), str(node.modifier)))
            case parser.NumberLiteral() | parser.StringLiteral():
                found.append((node.val,))
            case _:
                found.append((type(node).__name__,))

    parser.walk(expr, visit)
    return found


def times(expr: parser.Expr) -> list[timedelta | None]:
    """The lengths of time in an expression, always in the same order."""
    found: list[timedelta | None] = []

    def visit(node: parser.Expr) -> None:
        if isinstance(node, parser.SubqueryExpr):
            found.extend([node.range, node.step, node.offset])
        elif isinstance(node, parser.MatrixSelector):
            found.extend([node.range, node.vector_selector.offset])
        elif isinstance(node, parser.VectorSelector):
            found.append(node.offset)

    parser.walk(expr, visit)
    return found


@settings(max_examples=150)
@given(queries)
def test_scaled_expression_is_equal_but_for_its_durations(expr: str) -> None:
    before, after = parser.parse(expr), parser.parse(scaled(expr, 60))
    assert shape(after) == shape(before)
    assert times(after) == [None if length is None else length / 60 for length in times(before)]


@settings(max_examples=100)
@given(queries)
def test_scaled_expression_at_speed_1_is_as_written(expr: str) -> None:
    assert speed.scale_expression(expr, 1, scrape_interval_s=15) == expr


@settings(max_examples=100)
@given(queries)
def test_scaled_expression_composes(expr: str) -> None:
    twice = scaled(scaled(expr, FIRST), SECOND)
    assert twice == scaled(expr, FIRST * SECOND)


@settings(max_examples=100)
@given(queries, st.floats(1, 1e5), st.floats(0.001, 60))
def test_scaled_expression_keeps_its_floors(expr: str, factor: float, scrape_s: float) -> None:
    text = speed.scale_expression(expr, factor, scrape_interval_s=scrape_s, numbers=False)
    floor = timedelta(milliseconds=round(4 * scrape_s * 1000))
    ranges = zip(_ranges(expr), _ranges(text), strict=True)
    for written, range_ in ranges:
        assert min(floor, written) <= range_ <= written


def _ranges(expr: str) -> list[timedelta]:
    found: list[timedelta] = []

    def visit(node: parser.Expr) -> None:
        if isinstance(node, parser.MatrixSelector | parser.SubqueryExpr):
            found.append(node.range or timedelta())

    parser.walk(parser.parse(expr), visit)
    return found


@settings(max_examples=50)
@given(queries)
def test_longest_range_shrinks_with_the_expression(expr: str) -> None:
    before, after = speed.longest_range(expr), speed.longest_range(scaled(expr, 60))
    assert abs(Fraction(before) / 60 - Fraction(after)) < Fraction(1, 10**6)


seconds_numbers = st.integers(1, 10**6).map(lambda n: n * FIRST * SECOND)


@given(seconds_numbers, seconds_numbers, st.sampled_from(["<", ">", ">= bool", "=="]))
def test_scaled_age_changes_its_constants_alone(age_s: int, ahead_s: int, sign: str) -> None:
    query = "time() - max(x) {} {} and predict_linear(x[{}], 1 * {}) < 7200".format
    written = query(sign, age_s, "1h", ahead_s)
    wanted = query(sign, age_s // 60, "1m", ahead_s // 60)
    assert speed.scale_expression(written, 60, scrape_interval_s=0) == wanted


@settings(max_examples=100)
@given(queries)
def test_scaled_constants_are_found_among_all_other_numbers(expr: str) -> None:
    assume("increase" not in expr)  # a division by its own range is refused
    text = speed.scale_expression(
        f"({expr}) and time() - x > 600 or {expr}", 60, scrape_interval_s=0
    )
    assert text == f"({scaled(expr, 60)}) and time() - x > 10 or {scaled(expr, 60)}"


@pytest.fixture(scope="module")
def promtool() -> Path:
    return realise(["prometheus"])["prometheus"] / "bin" / "promtool"


@settings(max_examples=5)
@given(st.lists(queries, min_size=20, max_size=20), st.sampled_from([7, 60, 1e6]))
def test_scaled_expressions_pass_promtool(promtool: Path, exprs: list[str], factor: float) -> None:
    both = [*exprs, *(scaled(expr, factor) for expr in exprs)]
    rules = [{"alert": f"A{at}", "expr": expr} for at, expr in enumerate(both)]
    file = yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]})
    done = subprocess.run(
        [promtool, "check", "rules"],
        input=file,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
