"""Makes the HTML of an email harmless, as a mail program does before it shows it.

nh3 (nh3.readthedocs.io) parses it as a browser would; this module says what is kept.
"""

import re

import nh3

from stack.programs.inbox.mrkdwn import is_web_url

_TAGS = (
    "a abbr b big blockquote br center code col colgroup dd del div dl dt em font h1 h2 h3 h4 h5 "
    "h6 hr i img ins li ol p pre q s small span strike strong sub sup table tbody td tfoot th "
    "thead tr tt u ul"
)
_DROPPED = "iframe noscript object script style template textarea title"
"""Tags that go with everything in them; other unknown tags leave their text behind."""
_ATTRIBUTES = (
    "align alt bgcolor border cellpadding cellspacing color colspan dir face height lang rowspan "
    "size style title valign width"
)
_STYLES = (
    "background background-color border border-bottom border-collapse border-color border-left "
    "border-radius border-right border-spacing border-style border-top border-width box-sizing "
    "color display font font-family font-size font-style font-weight height letter-spacing "
    "line-height margin margin-bottom margin-left margin-right margin-top max-width min-width "
    "padding padding-bottom padding-left padding-right padding-top table-layout text-align "
    "text-decoration text-transform vertical-align white-space width word-break word-wrap"
)
_BODY = re.compile(r"<(/?)body\b", re.I)

_LONGEST = 100_000
"""In characters, about where Gmail clips. The worst that fits takes nh3 a second."""
_CUT = "<p>[The rest is not shown; see the raw payload.]</p>"


def sanitised(html: str) -> str:
    """Return the HTML with allowed tags, attributes and styles only: nothing runs, asks or submits.

    Links are http, https or mailto and open outside; images are inline data or dropped.
    """
    # The result goes into a body of ours; the mail's own would be lost, and its colours with it.
    kept = _CLEANER.clean(_BODY.sub(r"<\1div", html[:_LONGEST]))
    return kept + _CUT if len(html) > _LONGEST else kept


def _filtered(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if is_web_url(value) else None
    if name == "src":
        return value if value.startswith("data:image/") else None
    if name == "style":
        # Without functions and escapes, no style can name a URL.
        return None if "(" in value or "\\" in value else value
    return value


_CLEANER = nh3.Cleaner(
    tags=set(_TAGS.split()),
    clean_content_tags=set(_DROPPED.split()),
    attributes={"*": set(_ATTRIBUTES.split()), "a": {"href"}, "img": {"src"}},
    attribute_filter=_filtered,
    filter_style_properties=set(_STYLES.split()),
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"data", "http", "https", "mailto"},
    url_relative="deny",
)
