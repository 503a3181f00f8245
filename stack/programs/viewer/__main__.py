"""`python -m stack.programs.viewer`: serves dashboards until SIGTERM or SIGINT."""

import argparse
import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from stack.errors import BadInput, HostCannot, LabError
from stack.loopback import HOST
from stack.programs.logfmt import say
from stack.programs.memory import within
from stack.programs.serving import listen, serve
from stack.programs.viewer import dashboards, datasources
from stack.programs.viewer.annotations import Annotations
from stack.programs.viewer.assets import Assets
from stack.programs.viewer.dashboards import Library
from stack.programs.viewer.guard import Guard
from stack.programs.viewer.incidents import Incidents
from stack.programs.viewer.metrics import Metrics
from stack.programs.viewer.proxy import Proxy
from stack.programs.viewer.web import Context, application

_STOP_S = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the viewer. Returns the exit code: 0 after a stop, otherwise that of the error."""
    options = _options(arguments)
    try:
        asyncio.run(_serve(options))
    except LabError as error:
        print(f"viewer: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stack.programs.viewer", description=__doc__)
    parser.add_argument(
        "--listen", default=HOST, metavar="ADDRESS", help="of the port (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, required=True, metavar="P")
    parser.add_argument(
        "--provisioning", type=Path, required=True, metavar="DIR",
        help="Grafana's: `datasources/` and `dashboards/`",
    )  # fmt: skip
    parser.add_argument("--page", type=Path, metavar="DIR", help="the page's files")
    parser.add_argument(
        "--annotations", type=Path, required=True, metavar="FILE", help="where these are kept"
    )
    parser.add_argument(
        "--password-file", type=Path, required=True, metavar="FILE", help="of the user `admin`"
    )
    parser.add_argument(
        "--control", type=Path, required=True, metavar="FILE",
        help="JSON that says where a demo has its page",
    )  # fmt: skip
    parser.add_argument(
        "--reach", action="append", default=[], metavar="HOST:PORT",
        help="an address that data sources may have",
    )  # fmt: skip
    parser.add_argument(
        "--host", action="append", default=[HOST, "localhost"], metavar="NAME",
        help="another name by which the viewer may be addressed",
    )  # fmt: skip
    return parser.parse_args(arguments)


async def _serve(options: argparse.Namespace) -> None:
    """Listen until told to stop. Raises BadInput for what cannot be used, HostCannot."""
    sources = _sources(options.provisioning / "datasources", options.reach)
    providers = dashboards.providers(options.provisioning / "dashboards")
    password = _password(options.password_file)
    page = Assets(options.page) if options.page else None
    listening = listen(options.listen, options.port, option="--port")
    library = Library(providers=providers, tell=lambda level, text: say(level, "viewer", text))
    metrics = Metrics(
        shown=lambda: sum(not one.problem for one in library.all()),
        broken=lambda: len(library.problems()),
    )
    annotations, proxy = _annotations(options.annotations), Proxy()
    context = Context(
        sources=sources, library=library, annotations=annotations, proxy=proxy, metrics=metrics,
        page=page, incidents=Incidents(options.control),
    )  # fmt: skip
    app = Guard(application(context), password=password, hosts=options.host, metrics=metrics)
    say("info", "viewer", "listening", http=options.port, dashboards=len(library.all()),
        datasources=len(sources))  # fmt: skip
    try:
        await serve(app, listening, who="grafana", stop_s=_STOP_S, door=False, ws="none")
    finally:
        await proxy.close()
        annotations.close()


def _sources(folder: Path, reach: Sequence[str]) -> dict[str, datasources.DataSource]:
    """Uid → data source. Raises BadInput for one that leads elsewhere than `reach`."""
    found = datasources.read(folder)
    for source in found:
        if source.address not in reach:
            raise BadInput(
                f"data source `{source.name}` is at `{source.url}`, which is no service of this "
                "instance.",
                cure="The viewer asks only what runs beside it. Name the service, as in "
                "http://prometheus:9090.",
            )
    return {source.uid: source for source in found}


def _password(file: Path) -> str:
    try:
        password = file.read_text().strip()
    except (OSError, ValueError) as error:
        raise BadInput(f"the password in `{file}` cannot be read: {error}.") from None
    if not password:
        raise BadInput(f"the password in `{file}` is empty.")
    return password


def _annotations(file: Path) -> Annotations:
    try:
        return Annotations(file)
    except sqlite3.Error as error:
        raise HostCannot(
            f"annotations cannot be kept in `{file}`: {error}.",
            cure="Make room or the folder writable; a file that is damaged may be removed.",
        ) from None


if __name__ == "__main__":
    sys.exit(within("grafana", main))
