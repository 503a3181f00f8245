"""LogQL: the language of log queries, parsed by a grammar and answered from any source of entries.

`parse` gives the query as data (`ast`), `Engine` asks a `Source`, `text_of` prints a query, `scale`
divides its durations. Knows nothing of storage or HTTP. The language is that of Loki 3 as its
documentation describes it; what is not supported is refused, never answered otherwise.
"""

from stack.logstore.logql.engine import Budget, Engine
from stack.logstore.logql.errors import Kind, LogQLError
from stack.logstore.logql.source import Batch, Source, Stream

__all__ = ["Batch", "Budget", "Engine", "Kind", "LogQLError", "Source", "Stream"]
