"""The page: what arrived, and one message as its reader would see it."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from stack.inbox.message import Message

_LISTED = 500
"""How many of the newest messages the page shows."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def overview(newest: int) -> Response:
    return Response("")


def message(found: Message, *, newest: int) -> Response:
    return Response("")


def mail_html(found: Message) -> Response:
    return Response("")
