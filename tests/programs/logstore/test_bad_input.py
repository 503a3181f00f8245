"""Queries that no store should stumble over: refused with 400 and a reason, or answered."""

import asyncio
import time
from itertools import count

import httpx
import pytest
import websockets

from tests.programs.logstore.conftest import SECOND, Running

API = "/loki/api/v1"
_names = count()


@pytest.fixture
def service(served: Running) -> str:
    """A stream of the test's own with a line of JSON in it."""
    name = f"input-{next(_names)}"
    now = time.time_ns()
    served.push({"service": name}, (now - SECOND, '{"d": "5s", "n": 7, "b": "2kB"}'))
    return name


def asked(served: Running, query: str, *, instant: bool = False) -> httpx.Response:
    return served.get(f"{API}/query" if instant else f"{API}/query_range", query=query)


LITERALS = {
    "a duration beyond 64 bits": ("| json | d > 293y", "col 32"),
    "a Go duration beyond 64 bits": ("| json | d > 9999999999h", "col 32"),
    "a size beyond 64 bits": ("| json | b > 99999999PB", "col 32"),
    "digits without end": (f"| json | d > {'9' * 5000}s", "col 32"),
    "a size of digits without end": (f"| json | b > {'9' * 5000}B", "col 32"),
    "a number without end": (f"| json | n > {'9' * 5000}", "col 32"),
    "a hexadecimal number": ("| json | n > 0x1p99999", "col 32"),
}


@pytest.mark.parametrize("name", LITERALS)
def test_literal_out_of_range_is_refused_with_its_place(served: Running, name: str):
    stages, place = LITERALS[name]
    answer = asked(served, f'{{service="input"}} {stages}')
    assert answer.status_code == 400, answer.text
    assert place in answer.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('count_over_time({a="b"}[0s])', "col 24: duration must be greater than 0"),
        ('count_over_time({a="b"}[300y])', 'col 24: not a valid duration string: "300y"'),
        (f'count_over_time({{a="b"}}[{"9" * 5000}s])', "not a valid duration string"),
        ('count_over_time({a="b"}[5m] offset 300y)', "col 36"),
        (f'count_over_time({{a="b"}}[5m] offset {"9" * 5000}h)', "col 36"),
        (f'topk({"9" * 5000}, count_over_time({{a="b"}}[5m]))', "out of range"),
        (f'quantile_over_time({"9" * 5000}, {{a="b"}} | unwrap x [5m])', "out of range"),
        ("vector(1e999)", "out of range"),
        ("sum(1)", "a number is no series, which sum needs"),
        ("sort_desc((1 + 1))", "a number is no series, which sort_desc needs"),
        ('label_replace(1, "a", "b", "", "")', "a number is no series, which label_replace needs"),
        ("1e999 + 1", "out of range"),
        ('label_replace(vector(1), "a", "b", "c", "(")', "invalid regex in label_replace"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("instant", [True, False], ids=["instant", "range"])
def test_literal_of_a_metric_query_out_of_range_is_refused(served, query, words, instant):
    answer = asked(served, query, instant=instant)
    assert answer.status_code == 400, answer.text
    assert words in answer.text


PARAMETERS = [
    {"start": "1.0e400"}, {"end": "-1.0e400"}, {"start": "9" * 5000}, {"start": "9" * 20},
    {"start": "9999-01-01T00:00:00Z"}, {"end": "0000-13-01T00:00:00Z"}, {"start": "NaN"},
    {"start": "1e30.0"}, {"start": "٣"}, {"step": "1e999"}, {"step": "NaN"}, {"step": "inf"},
    {"step": "9" * 5000}, {"step": "300y"}, {"step": "1.5e300"}, {"interval": "1e999"},
    {"interval": "9" * 400 + "h"}, {"since": "300y"}, {"since": "9" * 5000 + "y"},
    {"limit": "9" * 5000}, {"limit": "99999999999999999999"}, {"limit": "1_000"}, {"limit": "٣"},
    {"limit": "1e3"}, {"direction": "sideways"}, {"step": b"\xed\xa0\x80"},
]  # fmt: skip


@pytest.mark.parametrize("changed", PARAMETERS, ids=lambda one: str(one)[:40])
@pytest.mark.parametrize("query", ['{a="b"}', 'rate({a="b"}[1m])'], ids=["lines", "numbers"])
def test_parameter_that_is_no_number_in_range_is_refused(served: Running, changed, query):
    answer = served.get(f"{API}/query_range", query=query, **changed)
    assert answer.status_code == 400, (changed, answer.text)
    assert answer.text.strip()
    assert len(answer.text) < 1000


@pytest.mark.parametrize("time_", ["1.0e400", "9" * 5000, "99999999999999999999", "NaN", "inf"])
def test_time_of_an_instant_query_is_a_number_in_range(served: Running, time_: str):
    answer = served.get(f"{API}/query", query='rate({a="b"}[1m])', time=time_)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("at", [-(2**63) + 1, -1, 0, 2**63 - 1])
@pytest.mark.parametrize("query", ['rate({a="b"}[1m])', 'sum(rate({a="b"}[1m] offset 200y))'])
def test_query_at_the_ends_of_time_is_answered(served: Running, service: str, at: int, query: str):
    answer = served.get(
        f"{API}/query", query=query.replace('a="b"', f'service="{service}"'), time=at
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("query", ["{ä", '{a="b"} | line_format "' + "ä" * 200, "vector(1)"])
def test_tail_that_cannot_be_says_why(served: Running, query: str):
    async def follow() -> str:
        url = httpx.URL(served.url.replace("http", "ws") + f"{API}/tail", params={"query": query})
        async with websockets.connect(str(url)) as socket:
            await asyncio.wait_for(socket.wait_closed(), 30)
            return socket.close_reason or ""

    assert asyncio.run(follow())


def test_regular_expression_that_is_too_large_is_refused(served: Running):
    answer = asked(served, f'{{a="b"}} |~ "{"(a{1000}){1000}" * 3}"')
    assert answer.status_code == 400, answer.text


MANY = {
    "line filters": '{{service="{service}"}} ' + '|= "n" ' * 1500,
    "refusing line filters": '{{service="{service}"}} ' + '!= "zzz" ' * 1500,
    "regular expressions": '{{service="{service}"}} ' + '|~ "n.*" ' * 1500,
    "needles": '{{service="{service}"}} |= "zzz"' + ' or "n"' * 3000,
    "label filters": '{{service="{service}"}} | json ' + "| n = 7 " * 1500,
    "alternatives": '{{service="{service}"}} | json | n = 7' + " or n = 8" * 450,
    "texts": '{{service="{service}"}} | json | n = "7"' + ' or n = "8"' * 450,
    "commas": '{{service="{service}"}} | json | n = 7' + ", n = 7" * 450,
    "parsers": '{{service="{service}"}} ' + "| json " * 1500,
    "formats": '{{service="{service}"}} ' + '| label_format a="b" ' * 1500,
    "matchers": '{{service="{service}"' + ', service=~".+"' * 1500 + "}}",
    "brackets": "(" * 3000 + '{{service="{service}"}}' + ")" * 3000,
    "sums": "vector(1)" + " + vector(1)" * 490,
    "numbers": "1" + " + 1" * 5000,
    "aggregations": "sum(" * 400 + 'count_over_time({{service="{service}"}}[1m])' + ")" * 400,
}


@pytest.mark.parametrize("name", MANY)
def test_query_of_many_parts_is_answered(served: Running, service: str, name: str):
    query = MANY[name].format(service=service)
    form = {"query": query}
    path = "query_range" if query.lstrip("(").startswith("{") else "query"
    answer = httpx.post(f"{served.url}{API}/{path}", data=form, timeout=60)
    assert answer.status_code == 200, answer.text[-300:]
    assert answer.json()["data"]["result"]


DEEP = {
    "sums": "vector(1)" + " + vector(1)" * 5000,
    "powers": "vector(1)" + " ^ vector(1)" * 5000,
    "aggregations": "sum(" * 5000 + 'count_over_time({a="b"}[1m])' + ")" * 5000,
    "replacements": "label_replace(" * 2000 + "vector(1)" + ',"a","b","c","d")' * 2000,
    "alternatives": '{a="b"} | n = 7' + " or n = 8" * 5000,
    "commas": '{a="b"} | n = 7' + ", n = 8" * 5000,
    "a rule": 'count_over_time({a="b"} | n = 7' + " or n = 8" * 5000 + "[1m])",
    "an unwrap": 'sum_over_time({a="b"} | unwrap n | n = 7' + " or n = 8" * 5000 + "[1m])",
    "blocks": '{a="b"} | line_format `' + "{{if .a}}" * 2000 + "{{end}}" * 2000 + "`",
    "brackets of a template": '{a="b"} | line_format `{{' + "(" * 2000 + ".a" + ")" * 2000 + "}}`",
}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("path", ["query", "query_range", "format_query"])
def test_query_that_is_too_deep_is_refused_with_the_limit(served: Running, name: str, path: str):
    form = {"query": DEEP[name]}
    answer = httpx.post(f"{served.url}{API}/{path}", data=form, timeout=60)
    if path == "format_query" and name in ("blocks", "brackets of a template"):
        return  # the query is one; what is in its texts is not looked at
    assert answer.status_code == 400, answer.text[:300]
    assert "too deeply (limit: " in answer.text


def test_unfinished_query_of_any_length_is_refused(served: Running):
    for query in ("vector(1)" + " + vector(1)" * 5000 + " {", "sum(" * 9000, '{a="b"}' + " | " * 9):
        answer = httpx.post(f"{served.url}{API}/query_range", data={"query": query}, timeout=60)
        assert answer.status_code == 400, answer.text[:300]
        assert "syntax error" in answer.text


@pytest.mark.parametrize(
    "deep",
    [
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        '{"a":' + "[" * 1000 + "]" * 1000 + "}",
        '{"a":' * 900 + "1" + "}" * 900,
    ],
)
@pytest.mark.parametrize(
    "stage",
    [
        "| json",
        '| json x="a.a[0]"',
        "| unpack",
        "| logfmt",
        '| line_format "{{fromJson __line__}}"',
    ],
)
def test_line_that_is_nested_deeply_is_read_as_far_as_it_goes(served: Running, deep, stage):
    name = f"deep-{next(_names)}"
    assert served.push({"service": name}, (time.time_ns(), deep)).status_code == 204
    for query in (
        f'{{service="{name}"}} {stage}',
        f'{{service="{name}"}} {stage} | a_a="x" or a!="y"',
    ):
        answer = asked(served, query)
        assert answer.status_code == 200, answer.text[:300]
        assert answer.json()["data"]["result"], answer.text[:300]


TEXTS = {
    'line_format `{{ b64dec "//4=" }}`': "\ufffd\ufffd",
    'line_format `{{ printf "%c|%q" 55296 55296 }}`': "\ufffd|'\ufffd'",
    'line_format `{{ printf "%c" 1114112 }}{{ printf "%c" -1 }}`': "\ufffd\ufffd",
    'line_format `{{ "\\xff" }}`': "\ufffd",
    'line_format `{{ urldecode "%ff%61" }}`': "\ufffda",
    'line_format `{{ b64dec "//4=" | upper | printf "%s-%x" "a" }}`': "a-fffe",
    'line_format `{{ b64dec "//4=" | urlencode }}`': "%FF%FE",
    'line_format `{{ b64dec "//4=" | b64enc }}`': "//4=",
    'line_format `{{ regexReplaceAll "a" (b64dec "//5h") "b" }}`': "\ufffd\ufffdb",
    'line_format `{{ count "." (b64dec "//4=") }}`': "2",
    'line_format `{{ b64dec "//4=" }}` | regexp "(?P<x>.*)" | line_format `{{.x}}`': "\ufffd\ufffd",
    'line_format `{{ b64dec "//4=" }}` |~ "." | line_format "yes"': "yes",
    'line_format `{{ substr 0 1 (b64dec "//4=") }}` | json | logfmt | line_format "yes"': "yes",
}


@pytest.mark.parametrize("stages", TEXTS)
def test_bytes_that_are_not_text_are_shown_as_go_shows_them(served: Running, service, stages: str):
    answer = asked(served, f'{{service="{service}"}} | {stages}')
    assert answer.status_code == 200, answer.text
    lines = [value[1] for one in answer.json()["data"]["result"] for value in one["values"]]
    assert lines == [TEXTS[stages]]


def test_labels_of_bytes_that_are_not_text_are_shown_as_go_shows_them(served: Running, service):
    stages = 'label_format x=`{{ b64dec "//4=" }}`'
    answer = asked(served, f'{{service="{service}"}} | {stages}')
    assert answer.json()["data"]["result"][0]["stream"]["x"] == "\ufffd\ufffd"
    query = f'sum by (x) (count_over_time({{service="{service}"}} | {stages} [1m]))'
    answer = asked(served, query, instant=True)
    assert answer.json()["data"]["result"][0]["metric"]["x"] == "\ufffd\ufffd"


@pytest.mark.parametrize(
    "query",
    [
        '{a="\\xff"}',
        '{a="\\ud800"}',
        '{a="b"} |= "\\xff"',
        '{a="b"} |~ "\\xff"',
        '{a="b"} | line_format `{{ "\\ud800" }}`',
        "{a=\"b\"} | line_format `{{ '\\x' }}`",
        "{a=\"b\"} | line_format `{{ '\\ud800' }}`",
    ],
)
def test_text_in_a_query_that_is_none_is_refused(served: Running, query: str):
    assert asked(served, query).status_code == 400


def test_halves_of_surrogate_pairs_in_a_push_are_replaced(served: Running):
    name = f"halves-{next(_names)}"
    value = f'["{time.time_ns()}", "a\\ud800b \\\\ud800 \\ud83d\\ude00"]'
    labels = f'{{"service": "{name}", "x": "\\udfff"}}'
    body = f'{{"streams": [{{"stream": {labels}, "values": [{value}]}}]}}'
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{served.url}{API}/push", content=body.encode(), headers=headers)
    assert answer.status_code == 204, answer.text
    found = asked(served, f'{{service="{name}"}}').json()["data"]["result"]
    assert found[0]["stream"]["x"] == "\ufffd"
    assert found[0]["values"][0][1] == "a\ufffdb \\ud800 \U0001f600"


def test_half_of_a_surrogate_pair_in_a_json_line_is_answered(served: Running):
    name = f"halves-{next(_names)}"
    served.push({"service": name}, (time.time_ns(), '{"a": "x\\ud800", "b": "y"}'))
    found = asked(served, f'{{service="{name}"}} | json').json()["data"]["result"]
    assert found[0]["stream"]["b"] == "y"


TOO_MUCH = [
    'line_format "{{ repeat 100000000 \\"x\\" }}"',
    'line_format `{{ printf "%1000000000d" 1 }}`',
    'line_format `{{ printf "%.1000000000f" 1.0 }}`',
    'line_format `{{ printf "%*d" 1000000000 1 }}`',
    'line_format `{{ alignLeft 1000000000 "x" }}`',
    'line_format `{{ alignRight 1000000000 "x" }}`',
    'line_format `{{ indent 1000000000 "x" }}`',
    'line_format `{{ nindent 100000000 "x" }}`',
    'line_format `{{ $x := repeat 999999 "x" }}{{ replace "x" $x $x }}`',
    'line_format `{{ $x := repeat 999999 "x" }}{{ Replace $x "x" $x 1000000 }}`',
    'line_format `{{ $x := repeat 999999 "x" }}{{ regexReplaceAll "x" $x $x }}`',
    'line_format `{{ $x := repeat 999999 "x" }}{{ regexReplaceAll "(x+)" $x "$1$1$1$1$1" }}`',
    'line_format `{{ $x := repeat 999999 "x" }}' + "{{ $x }}" * 20 + "`",
    'line_format `{{ $x := repeat 999999 "x" }}{{ print' + " $x" * 5000 + " }}`",
    'line_format `{{ $x := repeat 999999 "x" }}{{ printf "'
    + "%s" * 5000 + '"' + " $x" * 5000 + " }}`",
    "line_format `{{ range 1000000000 }}{{ . }}{{ end }}`",
    "line_format `{{ range 1000000000 }}{{ end }}`",
    "line_format `{{ range 1000 }}{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}{{ end }}`",
    "line_format `{{ $x := 1 }}{{ range 1000000000 }}{{ $x = mul $x 3 }}{{ end }}`",
    'label_format ' + ", ".join(f'a{n}=`{{{{ repeat 1000000 "x" }}}}`' for n in range(100)),
    " | ".join(f'label_format a{n}=`{{{{ repeat 1000000 "x" }}}}`' for n in range(100)),
]  # fmt: skip


@pytest.mark.parametrize("stages", TOO_MUCH, ids=lambda one: one[:60])
def test_template_that_makes_too_much_is_refused_with_the_limit(served: Running, service, stages):
    began = time.monotonic()
    for path, query in (
        ("query_range", f'{{service="{service}"}} | {stages}'),
        ("query", f'count_over_time({{service="{service}"}} | {stages} | a="b" [1m])'),
    ):
        form = {"query": query}
        answer = httpx.post(f"{served.url}{API}/{path}", data=form, timeout=60)
        assert answer.status_code == 400, answer.text[:300]
        assert "(limit: " in answer.text
    assert time.monotonic() - began < 20
