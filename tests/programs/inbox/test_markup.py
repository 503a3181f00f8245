import re

import pytest

from stack.programs.inbox.mrkdwn import to_html
from stack.programs.inbox.sanitise import sanitised

LINK = '<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>'
MRKDWN = [
    ("plain", "hello", "hello"),
    ("snake case", "pg_up_total and 2*3*4", "pg_up_total and 2*3*4"),
    ("lone mark", "* a ~ b _", "* a ~ b _"),
    ("bold", "*Firing* now", "<b>Firing</b> now"),
    ("italic", "_so_", "<i>so</i>"),
    ("struck", "~so~", "<s>so</s>"),
    ("nested", "*_so_*", "<b><i>so</i></b>"),
    ("lines", "a\nb", "a<br>b"),
    ("code", "`*a*`", "<code>*a*</code>"),
    ("block", "```a\n*b*```", "<pre>a\n*b*</pre>"),
    ("quote", "&gt; so\nb", "<blockquote>so</blockquote>b"),
    ("escapes", "a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
    ("link", "<http://x/?a=1&amp;b|Run *it*>", LINK.format("http://x/?a=1&amp;b", "Run *it*")),
    ("bare link", "<http://x>", LINK.format("http://x", "http://x")),
    ("bold link", "*<http://x|y>*", "<b>" + LINK.format("http://x", "y") + "</b>"),
    (
        "mention",
        "<!here> <#C1|ops>",
        '<span class="mention">@here</span> <span class="mention">#ops</span>',
    ),
    ("emoji", ":fire:", ":fire:"),
    ("no value", "<no value>", "&lt;no value&gt;"),
    ("script", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ("script link", "<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
    ("quote in link", '<http://x"onclick="y|z>', LINK.format("http://x&#34;onclick=&#34;y", "z")),
    ("code in link", "<http://`x`|z>", "&lt;http://<code>x</code>|z&gt;"),
    ("forged place", "\ue0000\ue001 `a`", "0 <code>a</code>"),
]


@pytest.mark.parametrize(
    ("text", "html"), [row[1:] for row in MRKDWN], ids=[row[0] for row in MRKDWN]
)
def test_mrkdwn_becomes_safe_html(text, html):
    assert str(to_html(text)) == html


OUTSIDE = ' rel="noopener noreferrer" target="_blank"'
HTML = [
    ("text", "a &amp; b", "a &amp; b"),
    ("styled", '<p style="margin:0" align="left">a</p>', '<p align="left" style="margin:0">a</p>'),
    (
        "style that covers the page",
        '<p style="position:fixed;color:red">a</p>',
        '<p style="color:red">a</p>',
    ),
    ("remote style", '<p style="background:url(http://x)">a</p>', "<p>a</p>"),
    ("remote style in disguise", r'<p style="background:u\72l(http://x)">a</p>', "<p>a</p>"),
    ("remote style without a URL", "<p style=\"background:image-set('//x' 1x)\">a</p>", "<p>a</p>"),
    ("style sheet", "<style>a > b {c:d}</style>b", "b"),
    (
        "body",
        '<html><body style="color:red"><p>a</p></body></html>',
        '<div style="color:red"><p>a</p></div>',
    ),
    ("link", '<a href="http://x">a</a>', f'<a href="http://x"{OUTSIDE}>a</a>'),
    ("unknown tag", "<blink>a</blink>", "a"),
    ("script", "a<script>alert('x')</script>b", "ab"),
    ("nested script", "<scr<script></script>ipt>alert(1)</script>", "ipt&gt;alert(1)"),
    ("handler", '<p onclick="x">a</p>', "<p>a</p>"),
    ("script link", '<a href=" javascript:x">a</a>', f"<a{OUTSIDE}>a</a>"),
    ("data link", '<a href=" DATA:text/html,x">a</a>', f"<a{OUTSIDE}>a</a>"),
    ("link within the page", '<a href="/messages/1">a</a>', f"<a{OUTSIDE}>a</a>"),
    ("encoded script link", '<a href="java&#115;cript:x">a</a>', f"<a{OUTSIDE}>a</a>"),
    ("frame", '<iframe src="http://x"></iframe>b', "b"),
    ("form", '<form action="/x"><input name="a">b</form>', "b"),
    ("tracking image", '<img src="http://x/a.gif" alt="a">', '<img alt="a">'),
    (
        "inline image",
        '<img src="data:image/png;base64,AA">',
        '<img src="data:image/png;base64,AA">',
    ),
    ("refresh", '<meta http-equiv="refresh" content="0;url=http://x">a', "a"),
    ("base", '<base href="http://x">a', "a"),
    ("comment", "a<!-- <script> -->b", "ab"),
    (
        "quote in attribute",
        "<p title='\"><script>'>a</p>",
        '<p title="&quot;&gt;&lt;script&gt;">a</p>',
    ),
    ("end of style in style", "<style></style><script>x</script>a", "a"),
    ("script in a foreign tag", "<svg><style><img src=x onerror=alert(1)></style></svg>", "<img>"),
]


@pytest.mark.parametrize(("html", "kept"), [row[1:] for row in HTML], ids=[row[0] for row in HTML])
def test_sanitised_keeps_what_cannot_harm(html, kept):
    assert _sorted(sanitised(html)) == kept


def _sorted(html: str) -> str:
    """The HTML with the attributes of each tag sorted: nh3 promises no order."""
    attribute = r' [a-z]+="[^"]*"'
    return re.sub(
        rf"(?:{attribute})+", lambda found: "".join(sorted(re.findall(attribute, found[0]))), html
    )


def test_sanitised_cuts_what_is_too_long():
    html = sanitised("<div>" * 200_000)
    assert html.endswith("[The rest is not shown; see the raw payload.]</p>")
