import time

import pytest

from stack.programs.inbox import views
from stack.programs.inbox.mail import judge, visible_text
from stack.programs.inbox.message import Channel, Kind

HEADERS = {
    "From": "alertmanager@residency.example",
    "To": "database@residency.example",
    "Subject": "[FIRING:1] PostgreSQLDown - no answer",
    "Date": "Mon, 02 Jan 2006 15:04:05 -0700",
    "Message-Id": "<1700000000.42@alertmanager.residency.example>",
    "MIME-Version": "1.0",
}
ALTERNATIVE = (
    'Content-Type: multipart/alternative; boundary="x"\r\n\r\n'
    "--x\r\nContent-Type: text/plain; charset=UTF-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\nit is=\r\n down\r\n"
    "--x\r\nContent-Type: text/html; charset=UTF-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "<style>@media x{a{b:c}}</style><p>it is <b>down</b></p>\r\n--x--\r\n"
)


def mail(*, body: str = ALTERNATIVE, extra: str = "", **changes: str | None) -> bytes:
    """A mail as Alertmanager 0.28.1 writes it; a change to None takes the header away."""
    replaced = {key.replace("_", "-"): value for key, value in changes.items()}
    head = "".join(
        f"{key}: {value}\r\n" for key, value in {**HEADERS, **replaced}.items() if value is not None
    )
    return (head + extra + body).encode("latin-1")


def found(content: bytes):
    return judge(content, received_at=5.0)


def test_mail_records_what_it_reads():
    message = found(mail())
    assert message.channel is Channel.EMAIL
    assert message.kind is Kind.FIRING
    assert message.alerts == ("PostgreSQLDown",)
    assert message.subject == "[FIRING:1] PostgreSQLDown - no answer"
    assert message.body == "it is down"
    assert message.answer == 250
    assert message.problems == ()


PLAIN = "Content-Type: text/plain\r\n\r\n"
PROBLEMS = [
    ("good", mail(), []),
    ("html alone", mail(body="Content-Type: text/html\r\n\r\n<p>a</p>"), []),
    ("no type", mail(body="\r\nhello\r\n"), []),
    ("line of 998", mail(body=PLAIN + "a" * 998), []),
    ("two recipients", mail(To="a@b.example, C <c@d.example>"), []),
    ("encoded subject", mail(Subject="=?utf-8?q?caf=C3=A9?="), []),
    ("no From", mail(From=None), ["no `From` header"]),
    ("no To", mail(To=None), ["no `To` header"]),
    ("no Subject", mail(Subject=None), ["no `Subject` header"]),
    ("no Date", mail(Date=None), ["no `Date` header"]),
    ("no Message-ID", mail(Message_Id=None), ["no `Message-ID` header"]),
    ("two subjects", mail(extra="Subject: b\r\n"), ["more than one `Subject`"]),
    ("no address", mail(From="Alertmanager"), ["`From` is `Alertmanager`"]),
    ("odd date", mail(Date="yesterday"), ["`Date` is `yesterday`"]),
    ("odd id", mail(Message_Id="abc"), ["`Message-ID` is `abc`"]),
    ("empty", mail(body="\r\n"), ["no text/plain or text/html part"]),
    ("image alone", mail(body="Content-Type: image/png\r\n\r\na"), ["no text/plain"]),
    ("long line", mail(body=PLAIN + "a" * 999), ["a line of 999 characters"]),
    ("raw header", mail(Subject="caf\xe9"), ["neither ASCII"]),
    ("template left", mail(body=PLAIN + "{{ .Foo"), ["unrendered template: `{{`"]),
    (
        "missing value in HTML",
        mail(body="Content-Type: text/html\r\n\r\n<p>&lt;no value&gt;</p>"),
        ["unrendered template: `<no value>`"],
    ),
]


@pytest.mark.parametrize(
    ("content", "problems"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_mail_finds_problems(content, problems):
    got = found(content).problems
    assert len(got) == len(problems), got
    for problem, wanted in zip(got, problems, strict=True):
        assert wanted in problem


MALFORMED = [
    b"",
    b"\r\n",
    b"no header at all",
    b"\x00\xff" * 500,
    b"Content-Type: multipart/mixed\r\n\r\nno boundary",
    b"Content-Type: text/plain; charset=klingon\r\n\r\nqapla'",
    b"From: <<>>@@,,;\r\nTo: =?x?y?z?=\r\nSubject: =?utf-8?b?!!!?=\r\nDate: -\r\n\r\n",
    b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%",
    b"Message-ID: <\r\n\r\n",
    b"From: a\r\n" * 2000,
]


@pytest.mark.parametrize("content", MALFORMED, ids=range(len(MALFORMED)))
def test_mail_survives_malformed_content(content):
    assert found(content).problems


def test_visible_text_keeps_what_a_reader_sees():
    html = "<head><title>t</title></head><style>a{}</style>A <b>b</b>.<br>C<script>x</script><p>D"
    assert visible_text(html) == "A b.\nC\nD"


NESTED = "(" * 20_000
SLOW = '"\\"' * 30_000


@pytest.mark.parametrize(
    "content",
    [
        mail(Date="Mon, 02 Jan 99999999999999999999 15:04:05 -0700"),
        mail(Date="Mon, 02 Jan 2006 15:04:05 +99999999999999999999"),
        mail(To=NESTED + "a@b.example"),
        mail(To=f"{SLOW} <a@b.example>"),
        mail(To='"a' * 20_000),
        mail(Subject="=?utf-8?b?" + "A" * 5 + "?= =?x y?q?a?= =?idna?q?=ff?="),
        mail(extra="Content-Disposition: attachment; filename*0\r\n"),
        mail(body="Content-Type: text/plain; charset\r\n\r\na"),
        mail(body="Content-Type: text/plain; charset*=utf-8''i\x00\r\n\r\na"),
        mail(body="Content-Type: text/plain; charset*=a; charset*0=b\r\n\r\na"),
        mail(body="Content-Type: multipart/mixed; boundary*=a; boundary*0=b\r\n\r\na"),
        mail(body="Content-Type: text/plain; charset=undefined\r\n\r\na"),
        mail(body="Content-Type: text/plain; charset=punycode\r\n\r\na-" + "b" * 90_000),
        mail(body="Content-Type: text/html\r\n\r\n<![[see</;a><img src"),
        mail(body="Content-Type: text/html\r\n\r\n" + "<![" * 30_000),
    ],
    ids=["year", "zone", "comments", "quotes", "open quotes", "words", "disposition", "no charset",
         "charset with NUL", "charset in parts", "boundary in parts", "undefined", "punycode",
         "section", "sections"],
)  # fmt: skip
def test_mail_that_breaks_readers_is_recorded_and_soon(content: bytes) -> None:
    began = time.process_time()
    message = found(content)
    assert message.raw == content
    views.message(message, newest=1, runbooks=[])
    views.mail_html(message)
    assert time.process_time() - began < 2
