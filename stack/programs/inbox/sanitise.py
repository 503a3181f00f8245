"""Makes the HTML of an email harmless, as a mail program does before it shows it."""

from html.parser import HTMLParser

from markupsafe import escape

from stack.programs.inbox.mrkdwn import is_web_url

_TAGS = (
    "a abbr b big blockquote body br center code col colgroup dd del div dl dt em font h1 h2 h3 "
    "h4 h5 h6 hr i img ins li ol p pre q s small span strike strong style sub sup table tbody td "
    "tfoot th thead tr tt u ul"
)
_ATTRIBUTES = (
    "align alt bgcolor border cellpadding cellspacing class color colspan dir face height href "
    "id lang rowspan size src style title valign width"
)
_KEPT_TAGS = frozenset(_TAGS.split())
_KEPT_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_DROPPED = frozenset({"script", "title", "iframe", "object", "noscript", "template", "textarea"})
"""Tags that go with all that is in them; other unknown tags leave their text behind."""


def sanitised(html: str) -> str:
    """Return the HTML with allowed tags and attributes only: nothing that runs, asks or submits.

    Links are http, https or mailto and open outside; images are inline data or dropped.
    """
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return "".join(cleaner.parts)


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._dropping = ""
        self._verbatim = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._dropping and tag in _DROPPED:
            self._dropping = tag
        if self._dropping or tag not in _KEPT_TAGS:
            return
        kept = "".join(_attribute(tag, name, value or "") for name, value in attrs)
        if tag == "a":
            kept += ' target="_blank" rel="noopener noreferrer"'
        self.parts.append(f"<{tag}{kept}>")
        self._verbatim = tag == "style"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            self._dropping = "" if tag == self._dropping else self._dropping
        elif tag in _KEPT_TAGS:
            self.parts.append(f"</{tag}>")
        self._verbatim = False

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            # The parser ended the style sheet at `</`, so what is in it cannot end it again.
            self.parts.append(data if self._verbatim else str(escape(data)))


def _attribute(tag: str, name: str, value: str) -> str:
    if name not in _KEPT_ATTRIBUTES:
        return ""
    if name == "href" and not (tag == "a" and is_web_url(value)):
        return ""
    if name == "src" and not (tag == "img" and value.startswith("data:image/")):
        return ""
    return f' {name}="{escape(value)}"'
