"""The page with the buttons, served by the demo for as long as it lasts, to this machine alone.

Its own files and nothing from outside; what changes something is taken from this page, or from no
page at all, under this very name.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from loadgen.faults.base import update_control
from scenarios.demo.board import Board
from scenarios.demo.marks import SERVICE as DASHBOARDS
from stack.errors import LabError
from stack.loopback import HOST
from stack.programs.door import Door
from stack.programs.serving import listen
from stack.run.instance import Instance

PAGE = Path(__file__).parent / "page"
ADDRESS = "incidents"
"""Key, in the control file of the dashboards' service, of where the page is."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def application(board: Board) -> ASGIApp:
    """The page, and what it asks for. Handlers run in threads: beginning takes a while."""

    def show(request: Request) -> Response:
        return JSONResponse(board.show())

    def change(request: Request) -> Response:
        act = board.begin if request.method == "POST" else board.end
        act(request.path_params["name"])
        return JSONResponse({})

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, LabError)
        return JSONResponse({"what": error.what, "cure": error.cure}, 409)

    files = [
        Route(f"/{'' if file.name == 'index.html' else file.name}", _file(file))
        for file in sorted(PAGE.iterdir())
    ]
    routes = [
        *files,
        Route("/api/incidents", show),
        Route("/api/incidents/{name}", change, methods=["POST", "DELETE"]),
    ]
    app = Starlette(routes=routes, exception_handlers={LabError: refused})
    return Door(app, (HOST, "localhost"), _HEADERS)


def _file(file: Path) -> Callable[[Request], Response]:
    return lambda request: FileResponse(file)


@contextmanager
def served(board: Board, instance: Instance) -> Iterator[str]:
    """The page is there while the block runs; its address. Where the lab's viewer shows the
    dashboards, its `/incidents` leads there."""
    listening = listen(HOST, 0, option="")
    address = f"http://{HOST}:{listening.getsockname()[1]}/"
    settings = uvicorn.Config(application(board), log_level="warning", access_log=False,
                              lifespan="off", ws="none", timeout_graceful_shutdown=1)  # fmt: skip
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, args=([listening],), name="page", daemon=True)
    thread.start()
    control = instance.control_file(DASHBOARDS)
    update_control(control, put={ADDRESS: address})
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join()
        board.settle()
        if control.parent.exists():
            update_control(control, drop=[ADDRESS])
