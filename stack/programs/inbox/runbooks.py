"""The runbooks as pages, so that whoever reads a notification here can go on to what to do."""

import re
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_PAGE = re.compile(r"(\w+)\.md(#[\w-]*)?")


def names(folder: Path | None) -> list[str]:
    """The alerts that have a runbook in the folder, sorted."""
    return sorted(page.stem for page in folder.glob("*.md")) if folder else []


def page(folder: Path | None, name: str) -> Markup | None:
    """One runbook as HTML; None where there is none of that name.

    Markup within the file is shown as text. What it links beside itself becomes a page here.
    """
    if not folder or name not in names(folder):
        return None
    return Markup(_reader().render((folder / f"{name}.md").read_text(errors="replace")))


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.core.ruler.push("pages", lambda state: _link(state.tokens))
    return reader


def _link(tokens: list[Token]) -> None:
    for token in tokens:
        _link(token.children or [])
        if token.type == "link_open" and (found := _PAGE.fullmatch(str(token.attrGet("href")))):
            token.attrSet("href", f"{found[1]}{found[2] or ''}")
