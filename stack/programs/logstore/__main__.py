"""Run the embedded log store: `--config loki-config.yml`.

Serves until SIGTERM or SIGINT. What it acknowledged is on disk; it can be killed at any time.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from stack.errors import LabError
from stack.programs.bearer import bearer
from stack.programs.logfmt import say
from stack.programs.logstore.committer import Committer
from stack.programs.logstore.ingest import Ingest
from stack.programs.logstore.metrics import Metrics
from stack.programs.logstore.querier import Querier
from stack.programs.logstore.ruler import Ruler
from stack.programs.logstore.ruler.web import routes
from stack.programs.logstore.settings import Settings, load
from stack.programs.logstore.snapshot import Sizes
from stack.programs.logstore.store import LogStore
from stack.programs.logstore.web import Context, application
from stack.programs.memory import within
from stack.programs.serving import listen, serve

_STOP_S = 3
"""How long requests under way may take once it is asked to stop."""


def main() -> int:
    """Run the store. Returns the exit code: 0 after a stop, otherwise that of the error."""
    parser = argparse.ArgumentParser(prog="stack.programs.logstore", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="loki-config.yml")
    parser.add_argument("--shipper", type=Path, metavar="FILE", help="the shipper's token: nobody"
        " else's pushes keep its own out")  # fmt: skip
    options = parser.parse_args()
    try:
        _serve(load(options.config), bearer(options.shipper))
    except LabError as error:
        print(f"loki: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _serve(settings: Settings, shipper: str) -> None:
    listening = listen(settings.address, settings.port, option="`server.http_listen_port`")
    store = LogStore(settings.folder / "logstore", sizes=Sizes(idle_s=settings.idle_s))
    metrics = Metrics()
    metrics.watch(store)
    ingest = Ingest(store, settings.limits, metrics, keeps_room=bool(shipper))
    committer = Committer(
        store, ingest, tend_every_s=settings.tend_s, retention_s=settings.limits.retention_s
    )
    querier = Querier(store, settings.limits)
    context = Context(
        settings=settings, querier=querier, committer=committer, metrics=metrics,
        trouble=lambda: store.trouble, shipper=shipper,
    )  # fmt: skip
    ruler = Ruler(settings.ruler, store.folder / "ruler.json", querier.instant, metrics)
    committer.start()
    ruler.start()
    host, port = listening.getsockname()[:2]
    say("info", "loki", "listening", address=f"{host}:{port}")
    try:
        app = application(context, routes(ruler))
        asyncio.run(serve(app, listening, who="loki", stop_s=_STOP_S, ws_max_size=1 << 20))
    finally:
        ruler.stop()
        committer.stop()
        store.close()


if __name__ == "__main__":
    code = within("loki", main)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # DuckDB's binding complains about leftovers when an interpreter ends
