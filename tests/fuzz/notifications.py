"""What the inbox gets, by mail and from Slack, PagerDuty and heartbeats, and how it shows it."""

import json

from stack.programs.inbox import heartbeat, mail, mrkdwn, pagerduty, sanitise, slack, views
from stack.programs.inbox.message import Message, Post
from stack.programs.inbox.web import as_json
from tests.fuzz.harness import Target

_KEY = "0123456789abcdef0123456789abcdef"

_MAIL = b"""\
From: alertmanager@residency.example\r
To: database@residency.example\r
Subject: =?utf-8?q?=5BFIRING=3A1=5D?= PostgreSQLDown - no answer\r
Date: Mon, 02 Jan 2006 15:04:05 -0700\r
Message-Id: <1700000000.42@alertmanager.residency.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary="x"\r
\r
--x\r
Content-Type: text/plain; charset=UTF-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
it is=\r
 down\r
--x\r
Content-Type: text/html; charset=UTF-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
<style>@media x{a{b:c}}</style><p>it is <b>down</b></p>\r
--x--\r
"""
_NESTED = b"""\
From: "A, B" <a@b.example>, Group: c@d.example, e@f.example;\r
To: x@y.example\r
Subject: [RESOLVED] DiskFull\r
Date: 1 Jan 70 00:00 GMT\r
Message-ID: <a@b>\r
Content-Type: multipart/mixed; boundary=o\r
\r
--o\r
Content-Type: message/rfc822\r
\r
Subject: inner\r
\r
text\r
--o\r
Content-Type: text/html; charset*=utf-8''iso-8859-1\r
Content-Disposition: inline; filename*0="a"; filename*1="b"\r
Content-Transfer-Encoding: base64\r
\r
PHA+YTwvcD4=\r
--o--\r
"""
_MAIL_WORDS = (
    b"From: ", b"To: ", b"Subject: ", b"Date: ", b"Message-ID: ", b"Content-Type: ", b"\r\n",
    b"--x",
    b"--x--", b'boundary="x"', b"multipart/mixed; boundary=", b"message/rfc822", b"text/html",
    b"message/partial", b"message/external-body", b"message/delivery-status", b"charset=",
    b"charset=rot13", b"charset=idna", b"charset=undefined", b"charset=unicode_escape",
    b"charset=utf-7", b"charset=utf-16", b"charset=zip", b"charset=punycode", b"charset=hex",
    b"charset*0*=", b"charset*=utf-8''", b"base64", b"quoted-printable", b"uuencode", b"8bit",
    b"x-uuencode", b"begin 666 a\r\n", b"=?utf-8?b?", b"=?utf-8?q?=ff?=", b"?=", b"=?rot13?q?a?=",
    b"<@>", b"<a@b>", b'"', b"(", b")", b"\\", b"[", b"]", b":;", b",", b"@", b"=", b"=\r\n",
    b"Resent-Date: ", b"Content-Disposition: attachment", b"MIME-Version: 1.0 (",
    b"Mon, 99 Foo 99999 99:99:99 +9999", b"Content-Transfer-Encoding: ", b"; ", b"filename*=",
)  # fmt: skip

_HTML = b"""\
<!doctype html><html><head><title>t</title><style>p{color:red}</style></head>
<body bgcolor="#fff"><table width=1><tr><td style="color:red;background:url(x)" onclick="a()">
<a href="https://x.example/?a=b&amp;c">see</a><img src="data:image/png;base64,AA==">
<script>alert(1)</script><svg><foreignObject><math><mi></mi></math></svg>
<b>bold<i>both</b></i>&lt;&#x41;&notin;<!-- c --></td></tr></table></body></html>
"""
_HTML_WORDS = (
    b"<b>", b"</b>", b"<a href=", b"javascript:", b"<table>", b"<td>", b"<svg>", b"<math>",
    b"<style>", b"</style>", b"<script>", b"<textarea>", b"<template>", b"<select>", b"<form>",
    b"<p>", b"</p>", b"<br>", b"<font>", b"<i>", b"<nobr>", b"<a>", b"<!--", b"-->", b"<![CDATA[",
    b"<?", b"<!", b"&#x", b"&", b";", b"style=", b"src=", b'="', b"'", b"/>", b"\x00", b"data:",
    b"<body ", b"</body", b"<h1>", b"<ul><li>", b"<dd>", b"<frameset>", b"<plaintext>", b"<xmp>",
)  # fmt: skip

_SLACK = {
    "channel": "#alerts",
    "username": "Alertmanager",
    "text": "see <https://x.example|here>",
    "attachments": [
        {"color": "danger", "title": "[FIRING:2] DiskFull, DiskSlow", "title_link": "http://x/",
         "text": "*a* _b_ ~c~ `d` <!here>\n> quoted\n```code```", "fallback": "f", "footer": "",
         "fields": [{"title": "t", "value": "v", "short": True}]},
    ],
    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "block"}}],
}  # fmt: skip

_EVENT = {
    "routing_key": _KEY,
    "dedup_key": "f" * 64,
    "event_action": "trigger",
    "client": "Alertmanager",
    "client_url": "http://127.0.0.1:9093",
    "links": [{"href": "http://x/", "text": "x"}],
    "images": [{"src": "https://x/"}],
    "payload": {
        "summary": "[FIRING:1] PostgreSQLDown - no answer", "source": "Alertmanager",
        "severity": "critical", "timestamp": "2026-11-24T11:10:10.691Z",
        "custom_details": {"firing": "Labels:\n - alertname = PostgreSQLDown\n", "resolved": ""},
    },
}  # fmt: skip

_BEAT = {
    "version": "4", "groupKey": "{}:{}", "receiver": "heartbeat", "status": "firing",
    "alerts": [{"status": "firing", "labels": {"alertname": "Watchdog"}, "annotations": {}}],
}  # fmt: skip

_MRKDWN = (
    b"*bold* _it_ ~no~ `code` ```block```\n> quote\n<https://x.example/?a=b|see> <#C1|c> <@U1>"
    b" <!here> &lt;b&gt; a*b*c <mailto:a@b>"
)


def _shown(message: Message) -> None:
    """As the inbox lists it and shows it."""
    json.dumps(as_json(message)).encode()
    views.message(message, newest=1, runbooks=[])
    views.mail_html(message)


def _mail(data: bytes) -> None:
    _shown(mail.judge(data, received_at=5.0))


def _post(path: str, data: bytes, kind: str = "application/json") -> Post:
    return Post(path=path, content_type=kind, body=data, received_at=5.0, size_bytes=len(data))


def _slack(data: bytes) -> None:
    _shown(slack.judge(_post("/services/T0/B0/x", data)).message)


def _slack_form(data: bytes) -> None:
    slack.judge(_post("/services/T0/B0/x", data, "application/x-www-form-urlencoded"))


def _pagerduty(data: bytes) -> None:
    reply = pagerduty.judge(_post("/v2/enqueue", data), {_KEY: "on-call"})
    reply.text.encode()
    _shown(reply.message)


def _heartbeat(data: bytes) -> None:
    _shown(heartbeat.judge(_post("/heartbeat/x", data), "x"))


def _html(data: bytes) -> None:
    text = data.decode(errors="replace")
    sanitise.sanitised(text)
    mail.visible_text(text)


def _mrkdwn(data: bytes) -> None:
    str(mrkdwn.to_html(data.decode("utf-8", "surrogateescape")))


def targets() -> list[Target]:
    return [
        Target(name="mail", feed=_mail, seeds=[_MAIL, _NESTED], words=_MAIL_WORDS, short=400),
        Target(name="html", feed=_html, seeds=[_HTML], words=_HTML_WORDS),
        Target(name="slack", feed=_slack, seeds=[json.dumps(_SLACK).encode()],
               words=(b"<", b"|", b">", b"*", b"`", b"```", b"{{", b"\xee\x80\x80", b"[FIRING:")),
        Target(name="slack-form", feed=_slack_form, seeds=[b"payload=%7B%22text%22%3A+%22a%22%7D"],
               words=(b"payload=", b"&", b"%7B", b"%", b"+", b";"), short=1500),
        Target(name="pagerduty", feed=_pagerduty, seeds=[json.dumps(_EVENT).encode()]),
        Target(name="heartbeat", feed=_heartbeat, seeds=[json.dumps(_BEAT).encode()], short=1000),
        Target(name="mrkdwn", feed=_mrkdwn, seeds=[_MRKDWN], short=1500,
               words=(b"<", b"|", b">", b"*", b"_", b"~", b"`", b"```",
                      b"\xee\x80\x801\xee\x80\x81",
                      b"http:", b"//[", b"&lt;", b"&gt;", b"\n> ", b"<!", b"<#")),
    ]  # fmt: skip
