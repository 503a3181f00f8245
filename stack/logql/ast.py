"""The language as data: one frozen class for each thing that a LogQL query can say.

`parse` makes these, `text` prints them again, the engine and the store's SQL read them. A node
holds what was written, with durations in nanoseconds and sizes in bytes; two queries that differ
only in spaces and comments are equal. Names follow Loki's documentation ("Log queries", "Metric
queries"); fields are in the order of the text.
"""

from dataclasses import dataclass
from enum import Enum


class MatchOp(Enum):
    """How a label is compared with a string; regular expressions match the whole value."""

    EQ = "="
    NE = "!="
    RE = "=~"
    NRE = "!~"


class FilterOp(Enum):
    """How a line is searched; regular expressions may match anywhere in it."""

    CONTAINS = "|="
    LACKS = "!="
    MATCHES = "|~"
    MATCHES_NOT = "!~"
    PATTERN = "|>"
    PATTERN_NOT = "!>"


class CompareOp(Enum):
    """How a label filter compares a number, a duration or a size."""

    EQ = "=="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="


@dataclass(frozen=True, kw_only=True)
class Matcher:
    name: str
    op: MatchOp
    value: str


@dataclass(frozen=True, kw_only=True)
class Needle:
    """What a line filter searches for: a text or, with `ip`, an address, range or CIDR block."""

    text: str
    ip: bool = False


@dataclass(frozen=True, kw_only=True)
class LineFilter:
    """`|= "a" or "b"`: any of the needles; for the negated operators, none of them."""

    op: FilterOp
    needles: tuple[Needle, ...]


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """`name="path"` of `json` and `logfmt`."""

    name: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Json:
    extractions: tuple[Extraction, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Logfmt:
    strict: bool = False
    keep_empty: bool = False
    extractions: tuple[Extraction, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Regexp:
    pattern: str


@dataclass(frozen=True, kw_only=True)
class Pattern:
    pattern: str


@dataclass(frozen=True, kw_only=True)
class Unpack:
    pass


@dataclass(frozen=True, kw_only=True)
class StringFilter:
    """`level="error"`, `path=~"/api/.*"`."""

    matcher: Matcher


@dataclass(frozen=True, kw_only=True)
class NumberFilter:
    name: str
    op: CompareOp
    value: float


@dataclass(frozen=True, kw_only=True)
class DurationFilter:
    name: str
    op: CompareOp
    value_ns: int


@dataclass(frozen=True, kw_only=True)
class BytesFilter:
    name: str
    op: CompareOp
    value_bytes: int


@dataclass(frozen=True, kw_only=True)
class IpFilter:
    """`address = ip("10.0.0.0/8")`; `op` is EQ or NE."""

    name: str
    op: CompareOp
    addresses: str


@dataclass(frozen=True, kw_only=True)
class And:
    """Written as `and`, a comma or a space between two label filters."""

    left: "LabelFilter"
    right: "LabelFilter"


@dataclass(frozen=True, kw_only=True)
class Or:
    left: "LabelFilter"
    right: "LabelFilter"


LabelFilter = StringFilter | NumberFilter | DurationFilter | BytesFilter | IpFilter | And | Or


@dataclass(frozen=True, kw_only=True)
class LineFormat:
    template: str


@dataclass(frozen=True, kw_only=True)
class Rename:
    """`label_format new=old`: the value moves to `new`, and `old` is removed."""

    name: str
    source: str


@dataclass(frozen=True, kw_only=True)
class SetLabel:
    """`label_format new="template"`."""

    name: str
    template: str


@dataclass(frozen=True, kw_only=True)
class LabelFormat:
    formats: tuple[Rename | SetLabel, ...]


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Label names, or matchers: those apply only where the label matches."""

    labels: tuple[str | Matcher, ...]


@dataclass(frozen=True, kw_only=True)
class Keep:
    labels: tuple[str | Matcher, ...]


@dataclass(frozen=True, kw_only=True)
class Decolorize:
    pass


Stage = (
    LineFilter
    | Json
    | Logfmt
    | Regexp
    | Pattern
    | Unpack
    | StringFilter
    | NumberFilter
    | DurationFilter
    | BytesFilter
    | IpFilter
    | And
    | Or
    | LineFormat
    | LabelFormat
    | Drop
    | Keep
    | Decolorize
)


@dataclass(frozen=True, kw_only=True)
class LogQuery:
    """`{selector} stages…`"""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()


class Conversion(Enum):
    """What `unwrap` reads a label as; a plain number without one."""

    NONE = ""
    DURATION = "duration"
    DURATION_SECONDS = "duration_seconds"
    BYTES = "bytes"


@dataclass(frozen=True, kw_only=True)
class Unwrap:
    name: str
    conversion: Conversion = Conversion.NONE
    filters: tuple[LabelFilter, ...] = ()
    """Label filters written after it."""


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """`by (…)`, or `without (…)`."""

    without: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RangeAggregation:
    """`op(param, query | unwrap … [range] offset …) by (…)`.

    At time t it looks at the entries in (t - offset - range, t - offset].
    """

    op: str
    query: LogQuery
    range_ns: int
    offset_ns: int = 0
    unwrap: Unwrap | None = None
    param: float | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True, kw_only=True)
class VectorAggregation:
    """`op by (…) (param, of)`; without a grouping everything is one group."""

    op: str
    of: "MetricQuery"
    param: int | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True, kw_only=True)
class Matching:
    """`on (…)`, or `ignoring (…)`, with `group_left (…)` or `group_right (…)`."""

    on: bool = False
    labels: tuple[str, ...] = ()
    group: str = ""
    """"", "left" or "right"."""
    include: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BinaryOperation:
    op: str
    left: "MetricQuery"
    right: "MetricQuery"
    bool_: bool = False
    matching: Matching = Matching()


@dataclass(frozen=True, kw_only=True)
class Literal:
    value: float


@dataclass(frozen=True, kw_only=True)
class VectorLiteral:
    """`vector(1)`."""

    value: float


@dataclass(frozen=True, kw_only=True)
class LabelReplace:
    of: "MetricQuery"
    target: str
    replacement: str
    source: str
    pattern: str


MetricQuery = (
    RangeAggregation | VectorAggregation | BinaryOperation | Literal | VectorLiteral | LabelReplace
)
Query = LogQuery | MetricQuery
