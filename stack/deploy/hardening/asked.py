"""What the front answers, to whom, and how often: asked from an address of this machine that is
nobody else's, so that no user is held up."""

from collections.abc import Iterator

import httpx

from stack.deploy.hardening.verdict import Said, Verdict, of
from stack.run import front
from stack.run.instance import Instance

_FROM = "127.0.0.88"

_PATHS = (
    "/", "/api/health", "/api/datasources", "/d/overview/overview", "/prometheus/",
    "/prometheus/metrics", "/prometheus/api/v1/query?query=up", "/prometheus/api/v1/status/config",
    "/alertmanager/", "/alertmanager/api/v2/alerts", "/loki/api/v1/labels", "/inbox/",
    "/inbox/api/messages", "/.env", "/-/forbidden", "//prometheus/", "/x/../prometheus/",
    "/%70rometheus/", "/prometheus/..%2f..%2f",
)  # fmt: skip
"""What somebody would try first, and spellings that could lead past a rule."""

_GUESSES = (
    ("admin", "admin"), ("admin", "password"), ("admin", ""), ("viewer", "viewer"),
    ("responder", "responder"), ("operator", "operator"), ("root", "root"), ("grafana", "grafana"),
    ("operator", "admin"), ("prometheus", "prometheus"),
)  # fmt: skip

_HEADERS = ("strict-transport-security", "x-content-type-options", "x-frame-options",
            "referrer-policy")  # fmt: skip

_FLOOD = 400
"""Requests at once; the front takes a hundred."""


def without_password(instance: Instance) -> Iterator[Said]:
    """Nothing is shown to whoever has no password."""
    with front.client(instance.layout, source=_FROM) as nobody:
        got = {path: nobody.get(path).status_code for path in _PATHS}
        post = nobody.post("/prometheus/-/reload").status_code
    open_ = [f"{path} ({code})" for path, code in got.items() if code not in (400, 401)]
    open_ += [f"POST /prometheus/-/reload ({post})"] if post != 401 else []
    yield of(not open_, f"{len(got) + 1} paths asked, not refused: {', '.join(open_) or 'none'}")


def default_passwords(instance: Instance) -> Iterator[Said]:
    """No password that somebody would try first."""
    taken = []
    for user, password in _GUESSES:
        with front.client(instance.layout, user, password or " ", source=_FROM) as guessing:
            if guessing.get("/").status_code != 401:
                taken.append(f"{user}/{password}")
    yield of(not taken, f"{len(_GUESSES)} tried, let in: {', '.join(taken) or 'none'}")


def roles(instance: Instance) -> Iterator[Said]:
    """Each user may do what their role says."""
    silence = ("DELETE", "/alertmanager/api/v2/silence/00000000-0000-0000-0000-000000000000")
    reload, admin = ("POST", "/prometheus/-/reload"), ("POST", "/prometheus/api/v1/admin/tsdb/x")
    look = ("GET", "/prometheus/api/v1/query?query=1")
    may = {"viewer": [look], "responder": [look, silence], "operator": [look, silence, reload]}
    wrong = []
    for user, allowed in may.items():
        try:
            client = front.client(instance.layout, user, source=_FROM)
        except OSError:
            yield Verdict.UNSEEN, f"the password of `{user}` is not the instance's own"
            continue
        with client:
            for what in (look, silence, reload, admin):
                refused = client.request(*what).status_code == 403
                if refused == (what in allowed):
                    wrong.append(f"{user}: {' '.join(what)}")
    yield of(not wrong, f"4 requests by each of {len(may)}, other than meant: "
                        f"{', '.join(wrong) or 'none'}")  # fmt: skip


def headers(instance: Instance) -> Iterator[Said]:
    """Browsers are told to stay on TLS, and to show it in no page of others."""
    with front.client(instance.layout, source=_FROM) as nobody:
        for path in ("/", "/-/healthy"):
            answer = nobody.get(path)
            missing = [name for name in _HEADERS if name not in answer.headers]
            said = ", ".join(missing) or "nothing"
            yield of(not missing, f"{path} ({answer.status_code}) lacks {said}")


def rate(instance: Instance) -> Iterator[Said]:
    """Whoever asks too often is turned away."""
    with front.client(instance.layout, source=_FROM) as flood:
        for number in range(1, _FLOOD + 1):
            if flood.get("/-/healthy").status_code == httpx.codes.TOO_MANY_REQUESTS:
                yield of(True, f"429 at request {number} at once")
                return
    yield of(False, f"{_FLOOD} requests at once were all answered")
