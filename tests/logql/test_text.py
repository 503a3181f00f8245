"""A query that is printed reads back as the same query."""

from hypothesis import given, settings

from stack.logql import parse
from stack.logql.ast import Drop, Literal, LogQuery, Matcher, MatchOp, Query
from stack.logql.text import text_of
from tests.logql import table
from tests.logql.queries import queries


@given(queries)
@settings(max_examples=150)
def test_a_printed_query_reads_back_as_itself(query: Query) -> None:
    assert parse(text_of(query)) == query


def test_what_follows_a_dropped_label_is_its_matcher() -> None:
    query = parse('{app="x"} | drop level != "info"')
    assert isinstance(query, LogQuery)
    assert query.stages == (Drop(labels=(Matcher(name="level", op=MatchOp.NE, value="info"),)),)


def test_every_query_of_the_conformance_table_reads_back_as_itself() -> None:
    for case in table.cases():
        if case.kind != "error":
            query = parse(case.query)
            again = parse(text_of(query))
            assert again == query or isinstance(query, Literal), case.query  # NaN is not itself


def test_numbers_that_no_query_can_write_print_as_something_that_gives_them() -> None:
    assert text_of(parse("1 / 0")) == "(0 / 0)"
    assert text_of(parse("10 ^ 400")) == "(2 ^ 2000)"
    assert parse(text_of(parse("-1 * 10 ^ 400"))) == Literal(value=-float("inf"))
