"""Slack's mrkdwn as HTML that is safe to show, whatever the sender wrote.

Source: docs.slack.dev, "Formatting message text".
"""

import re
from urllib.parse import urlsplit

from markupsafe import Markup, escape

_HELD = re.compile("\ue000(\\d+)\ue001")
_BLOCK = re.compile(r"```\n?(.+?)\n?```", re.S)
_CODE = re.compile(r"`([^`\n]+)`")
_ANGLE = re.compile(r"<([^<>|\n]*)(?:\|([^<>\n]*))?>")
_STYLES = {"*": "b", "_": "i", "~": "s"}
_QUOTE = re.compile(r"^&gt; ?(.*)(?:\n|$)", re.M)


def to_html(text: str) -> Markup:
    """Return the text with links, styles, code and quotes as HTML; everything else is escaped."""
    held: list[Markup] = []

    def hold(html: Markup) -> str:
        """Set finished HTML aside, so that no later rule reads it as mrkdwn."""
        held.append(html)
        return f"\ue000{len(held) - 1}\ue001"

    text = text.replace("\ue000", "").replace("\ue001", "")
    text = _BLOCK.sub(lambda found: hold(Markup("<pre>{}</pre>").format(plain(found[1]))), text)
    text = _CODE.sub(lambda found: hold(Markup("<code>{}</code>").format(plain(found[1]))), text)
    text = _ANGLE.sub(lambda found: hold(_reference(found[1], found[2])), text)
    html = str(escape(plain(text)))
    html = _QUOTE.sub(r"<blockquote>\1</blockquote>", html)
    for mark, tag in _STYLES.items():
        m = re.escape(mark)
        styled = rf"(?<![\w{m}]){m}(?=[^\s{m}])([^{m}\n]*?[^\s{m}]){m}(?![\w{m}])"
        html = re.sub(styled, rf"<{tag}>\1</{tag}>", html)
    html = html.replace("\n", "<br>")
    while _HELD.search(html):
        html = _HELD.sub(lambda found: str(held[int(found[1])]), html)
    return Markup(html)


def is_web_url(url: str) -> bool:
    """Return whether a URL may become a link: http, https or mailto, nothing that runs."""
    try:
        return urlsplit(url).scheme in ("http", "https", "mailto")
    except ValueError:
        return False


def plain(text: str) -> str:
    """Undo the three escapes that Slack requires of senders."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _reference(target: str, label: str | None) -> Markup:
    """Return what `<target|label>` shows: a link, a channel, a person or a special mention."""
    target, shown = plain(target), plain(label or target)
    if target and target[0] in "#@!":
        mark = {"#": "#", "@": "@", "!": "@"}[target[0]]
        return Markup('<span class="mention">{}{}</span>').format(mark, plain(label or target[1:]))
    if is_web_url(target) and not _HELD.search(target):
        return Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(
            target, shown
        )
    return Markup("{}").format(f"<{target}|{label}>" if label else f"<{target}>")
