"""LogQL, and what the log store is asked and sent."""

import json
from contextlib import suppress
from functools import cache
from urllib.parse import parse_qs

import cramjam
import yaml

from stack.errors import BadInput, HostCannot
from stack.logql import Budget, Engine, LogQLError, MemorySource, parse, rules
from stack.logql.alerts import restored_s
from stack.logql.ast import LogQuery
from stack.logql.text import text_of
from stack.paths import REPO
from stack.programs.logstore import params, push, settings, streams, wal
from stack.programs.logstore.ruler.run import remembered
from stack.programs.lokiproto import PushRequest
from stack.yamltext import read as read_yaml
from tests.fuzz import scratch
from tests.fuzz.harness import Target

_SECOND = 1_000_000_000
_CONFORMANCE = REPO / "tests" / "logql" / "conformance"
_CONFIG = REPO / "stack" / "config" / "loki"

_WORDS = (
    b"{", b"}", b"(", b")", b"[", b"]", b"[5m]", b"[0s]", b"[300y]", b"|", b"|=", b"!=", b"=~",
    b"!~", b"|>", b"!>", b"==", b">", b">=", b"+", b"^", b"/", b"%", b"-", b"app", b"a", b"5m",
    b"1h2m3s", b"1e999", b"7", b"5kB", b"json", b"logfmt", b"regexp", b"pattern", b"unpack",
    b"decolorize", b"unwrap", b"duration(a)", b"bytes(a)", b"line_format", b"label_format",
    b"drop", b"keep", b"sum", b"avg", b"topk", b"stddev", b"sort", b"rate", b"count_over_time",
    b"quantile_over_time", b"absent_over_time", b"first_over_time", b"vector", b"label_replace",
    b"by", b"without", b"on", b"ignoring", b"group_left", b"offset", b"bool", b"or", b"and",
    b"unless", b"sum(1)", b'{app="x"}', b'ip("10.0.0.0/8")', b"#", b"//", b"(?P<a>.*)", b"<_>",
    b"<a>", b"--strict", b"__error__", b"__error_details__", b"__line__",
)  # fmt: skip
_TEMPLATE_WORDS = (
    b"{{", b"}}", b"{{-", b"-}}", b"{{.a}}", b"{{range $i, $x := .}}", b"{{end}}", b"{{else}}",
    b"{{if .a}}", b"{{with $x := .a}}", b"{{break}}", b"{{continue}}", b"{{/* */}}", b"$x", b"$",
    b".", b"nil", b"__timestamp__", b"now", b"printf", b'"%*d"', b'"%999999999d"', b'"%[3]v"',
    b"repeat 99999999", b"indent 9999999", b"alignLeft 99999999", b"fromJson", b"regexReplaceAll",
    b"unixEpoch", b"date", b"toDateInZone", b"substr -1 9", b"trunc", b"b64dec", b"bytes",
    b"duration", b"duration_seconds", b"add", b"div 1 0", b"mod 1 0", b"mulf", b"round 1e308 300",
    b"count", b"urldecode", b"eq", b"lt", b"index", b"slice", b"len", b"html", b"js", b"print",
    b"0x7fffffffffffffff", b"-9223372036854775808", b"1e400", b"'\\''", b"default",
)  # fmt: skip


@cache
def _conformance() -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    """The queries of the conformance table that are good, and each with the lines it is for."""
    queries: dict[str, None] = {}
    asked = []
    for path in sorted(_CONFORMANCE.glob("*.yml")):
        document = read_yaml(path.read_text())
        for case in document["cases"]:
            if "error" in case:
                continue
            queries[case["query"]] = None
            streams = document["corpora"].get(case.get("corpus"), [])
            lines = [str(line[1]) for each in streams for line in each.get("lines", [])][:4]
            asked.append("\0".join([case["query"], *lines]).encode())
    return tuple(queries), tuple(asked)


def _parse(data: bytes) -> None:
    query = parse(data.decode(errors="replace"))
    assert text_of(parse(text_of(query))) == text_of(query)  # not themselves: NaN is not NaN


def _ask(data: bytes) -> None:
    """The query up to the first NUL, and after it lines."""
    query, *lines = data.decode(errors="replace").split("\0")
    source = MemorySource()
    for at, line in enumerate(lines[:20]):
        source.add({"app": "x", "service": "a"}, at * _SECOND, line)
        source.add({"app": "a", "level": "info"}, at * _SECOND + 1, line)
    # A tenth of what a query may take, so that one that does not look at the clock is found.
    engine = Engine(source, budget=Budget(deadline_s=0.4))
    engine.query_range(query, 0, 100 * _SECOND, 10 * _SECOND)
    if not isinstance(parse(query), LogQuery):
        engine.query(query, 50 * _SECOND)


def _template(data: bytes) -> None:
    """A template and a line."""
    template, _, line = data.decode(errors="replace").partition("\0")
    quoted = json.dumps(template, ensure_ascii=False).replace("\\/", "/")
    source = MemorySource()
    source.add({"app": "x", "level": "info"}, _SECOND, line or "a=1 b=two c=3.5 d=1h")
    engine = Engine(source, budget=Budget(deadline_s=0.4))
    stage = f"line_format {quoted} | label_format z={quoted}"
    engine.query_range(f'{{app="x"}} | logfmt | {stage}', 0, 9 * _SECOND, _SECOND)


def _templates() -> tuple[bytes, ...]:
    made = []
    for path in sorted(_CONFORMANCE.glob("formats.yml")):
        for case in read_yaml(path.read_text())["cases"]:
            _, found, text = case["query"].partition('line_format "')
            if found and "error" not in case:
                made.append(text.rpartition('"')[0].replace('\\"', '"').encode())
    return tuple(one for one in made if b"|" not in one.replace(b" | ", b""))[:60]


def _rules(data: bytes) -> None:
    path = scratch.folder("rules") / "rules.yml"
    path.write_bytes(data)
    rules.load(path.parent, 15.0)


def as_json(path_text: str) -> bytes:
    """A YAML file as JSON, which is YAML too: so that its structure can be changed."""
    return json.dumps(yaml.safe_load(path_text)).encode()


# ── what is pushed ──

_BODY = {
    "streams": [
        {"stream": {"job": "a", "level": "info"},
         "values": [["1700000000000000000", "one"], ["1700000000000000001", "two", {"k": "v"}]]},
        {"stream": {"app": "x"}, "values": []},
    ]
}  # fmt: skip


def _take(content_type: str, encoding: str, data: bytes) -> None:
    for each in push.decode(push.Body(data, content_type, encoding)):
        labels = each.labels
        pairs = streams.parse(labels) if isinstance(labels, str) else labels.items()
        streams.known(dict(pairs))


def _push_json(data: bytes) -> None:
    _take("application/json", "", data)


def _push_gzip(data: bytes) -> None:
    _take("application/json", "gzip", data)


def _push_snappy(data: bytes) -> None:
    _take("application/x-protobuf", "", data)


def _push_protobuf(data: bytes) -> None:
    _take("application/x-protobuf", "", bytes(cramjam.snappy.compress_raw(data)))


def _pushed() -> bytes:
    request = PushRequest()
    for labels in ('{job="a", level="b"}', "{}"):
        stream = request.streams.add(labels=labels)
        for number in range(3):
            entry = stream.entries.add(line=f"line {number}")
            entry.timestamp.seconds, entry.timestamp.nanos = 1_700_000_000 + number, 5
    return request.SerializeToString()


def _params(data: bytes) -> None:
    form = parse_qs(data.decode(errors="replace"), keep_blank_values=True)
    limits, now_ns = _limits(), 1_700_000_000 * _SECOND
    for read in (
        lambda: params.range_query(form, now_ns, limits),
        lambda: params.instant_query(form, now_ns),
        lambda: params.volume_query(form, now_ns),
        lambda: params.fields_query(form, now_ns, limits),
    ):
        with suppress(params.BadParameter):
            read()


@cache
def _limits() -> settings.Limits:
    return settings.load(_CONFIG / "loki-config.yml").limits


def _labels(data: bytes) -> None:
    found = dict(streams.parse(data.decode(errors="replace")))
    again = dict(streams.parse(streams.text_of(found)))
    assert again == found
    streams.known(found)


def _loki_config(data: bytes) -> None:
    settings.load(scratch.file("loki-config.yml", data))


def _ruler_state(data: bytes) -> None:
    found = remembered(scratch.file("ruler.json", data))
    for key, active_s in found.active.items():
        hash(key)
        restored_s(active_s, 10.0, found.saved_s, 1_700_000_000.0, 5.0)


def _wal(data: bytes) -> None:
    path = scratch.file("1.wal", data)
    for record in wal.replay(path):
        assert len(record.timestamps_ns) == len(record.lines)
    wal.Wal(path).close()


def _recorded() -> bytes:
    path = scratch.file("2.wal", b"")
    written = wal.Wal(path)
    stream = streams.known({"app": "x"})
    for at in range(3):
        written.append([wal.Part(stream, [at], [f"line {at}"])])
    written.close()
    return path.read_bytes()


_STATE = {"saved_s": 1.7e9, "active": [["f", "g", "a", [["l", "v"]], 1.6e9]]}


def targets() -> list[Target]:
    queries, asked = _conformance()
    config = (_CONFIG / "loki-config.yml").read_text()
    rule_text = (_CONFIG / "rules" / "logs.yml").read_text()
    packed = bytes(cramjam.snappy.compress_raw(_pushed()))
    zipped = bytes(cramjam.gzip.compress(json.dumps(_BODY).encode()))
    return [
        Target(name="ruler-state", feed=_ruler_state, seeds=[json.dumps(_STATE).encode()]),
        Target(name="wal", feed=_wal, seeds=[_recorded()], raises=(HostCannot,), short=400),
        Target(
            name="logql", feed=_parse, seeds=[one.encode() for one in queries],
            raises=(LogQLError,), words=_WORDS, short=1500,
        ),
        Target(name="logql-lines", feed=_ask, seeds=asked, raises=(LogQLError,),
               words=(*_WORDS, *_TEMPLATE_WORDS)),
        Target(name="template", feed=_template, seeds=_templates(), raises=(LogQLError,),
               words=_TEMPLATE_WORDS),
        Target(
            name="log-rules", feed=_rules, seeds=[rule_text.encode(), as_json(rule_text)],
            raises=(BadInput,), words=(b"&a ", b"*a", b"<<: ", b"!!int ", b"? ", b"- ", b"---\n"),
            short=150,
        ),
        Target(name="push-json", feed=_push_json, seeds=[json.dumps(_BODY).encode()],
               raises=(push.Refused, streams.BadLabels), short=2000),
        Target(name="push-gzip", feed=_push_gzip, seeds=[zipped],
               raises=(push.Refused, streams.BadLabels), short=2000),
        Target(name="push-snappy", feed=_push_snappy, seeds=[packed],
               raises=(push.Refused, streams.BadLabels), short=2000),
        Target(name="push-protobuf", feed=_push_protobuf, seeds=[_pushed()],
               raises=(push.Refused, streams.BadLabels), short=2000),
        Target(
            name="params", feed=_params, short=1500,
            seeds=[b"query=%7Bapp%3D%22x%22%7D&start=1700000000&end=1700003600.5&step=15s&limit=10",
                   b"query=x&start=2024-01-01T00:00:00.123456789%2B02:00&since=1h&interval=5"
                   b"&direction=forward",
                   b"time=1700000000000000000&line_limit=50&aggregateBy=labels&targetLabels=a,b"],
            words=(b"&start=", b"&end=", b"&step=", b"&since=", b"&limit=", b"&time=",
                   b"&interval=", b"&line_limit=", b"&direction=", b"1e", b".", b"T", b"Z",
                   b"%2B99:99", b"9999-12-31T23:59:59Z", b"0000-00-00T00:00:00Z", b"y", b"ms"),
        ),
        Target(
            name="labels", feed=_labels, raises=(streams.BadLabels,), short=2000,
            seeds=[b'{job="a", level="b"}', b'{a="\\u00e4\\x41\\n\\"", b=`raw`}', b"{}"],
            words=(b'="', b'",', b"=`", b"`", b"\\U0010ffff", b"\\U00110000", b"\\ud800", b"a"),
        ),
        Target(
            name="loki-config", feed=_loki_config, raises=(BadInput,), short=150,
            seeds=[config.encode(), as_json(config)],
            words=(b"&a ", b"*a", b"<<: ", b"!!int ", b"? ", b"- ", b"---\n", b"retention_period",
                   b"1e999h", b"15MB", b"1e400MB"),
        ),
    ]  # fmt: skip
