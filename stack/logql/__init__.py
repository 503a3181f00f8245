"""LogQL: the language of log queries, parsed by a grammar and answered from any source of entries.

`parse` gives the query as data (`ast`), `text` prints it again, `pretty` over several lines;
`Engine` asks a `Source` and makes the answer; `template` is Go's, as far as `line_format` needs it;
`rules` and `alerts` are rule files with LogQL and the states of their alerts. A query is refused,
or costs no more than its `Budget`. The language is that of Loki 3 as its
documentation describes it; what is not supported is refused, never answered differently.

Not here: storage and HTTP (`stack.programs.logstore`), and durations at a speed (`stack.speed`).
May import the loose modules alone.
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
