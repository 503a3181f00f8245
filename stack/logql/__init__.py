"""LogQL: the language of log queries, parsed by a grammar and answered from any source of entries.

`parse` gives the query as data (`ast`), `Engine` asks a `Source`, `text` prints a query, `scale`
divides its durations. Knows nothing of storage or HTTP. The language is that of Loki 3 as its
documentation describes it; what is not supported is refused, never answered otherwise.
"""

from stack.logql.budget import Budget
from stack.logql.engine import Direction, Engine, check
from stack.logql.errors import Kind, LogQLError
from stack.logql.memory import MemorySource
from stack.logql.metrics import Shortcut
from stack.logql.parse import parse, parse_log, parse_matchers, parse_metric
from stack.logql.source import Batch, Source, Stream

__all__ = [
    "Batch",
    "Budget",
    "Direction",
    "Engine",
    "Kind",
    "LogQLError",
    "MemorySource",
    "Shortcut",
    "Source",
    "Stream",
    "check",
    "parse",
    "parse_log",
    "parse_matchers",
    "parse_metric",
]
