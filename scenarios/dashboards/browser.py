"""A real browser without a window, over its DevTools protocol (chromedevtools.github.io).

It is told what to do through a pipe, so that it listens on no port, and ends when whoever started
it is gone, however that ended.
"""

import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

from stack import progress
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.store.packageset import realise

VARIABLE = "STACK_BROWSER"

WITHIN_S = 90.0
"""How long to wait for anything: for a page of two megabytes of JavaScript on a busy machine."""

END_S = 10.0
LOOK_EVERY_S = 0.05
_PROBLEM_LETTERS = 500
_NICE = 5

OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # it may be small, or not there
    "--no-first-run",
    "--lang=en-US",
    # It asks nobody for anything of its own: neither for updates nor for lists of bad pages.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)

_NAMES = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
"""What is not on this machine is not found."""

_LOCALE = ("LANGUAGE", "LC_ALL", "LC_MESSAGES")

_BECOME = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.nice(int(sys.argv[3]))
os.execv(sys.argv[4], sys.argv[4:])
"""
"""In a process of its own: between fork and exec, threads allow no Python."""


def program(report: progress.Progress | None = None) -> Path:
    """The browser's program: what STACK_BROWSER names, or the store's own, which is built if it is
    missing. Raises BadInput for a name of nothing, LabError as `realise`."""
    named = os.environ.get(VARIABLE)
    if not named:
        return realise(["chromium"], report=report)["chromium"] / "bin" / "chromium"
    if found := shutil.which(named):
        return Path(found)
    raise BadInput(
        f"{VARIABLE} is `{named}`, which is no program.",
        cure="Name a Chromium, or unset it: then the lab builds its own.",
    )


@contextlib.contextmanager
def browser(of: Path, *, gives_way: bool = False, leads_here: str = "") -> Iterator["Browser"]:
    """A browser that runs; nothing of it stays. Raises HostCannot where it does not start.

    `gives_way` to what else runs on this machine, such as a proof that counts seconds.
    `leads_here`: a name of somebody else's that is found to be this machine.
    """
    names = f"MAP {leads_here} 127.0.0.1, {_NAMES}" if leads_here else _NAMES
    folder = Path(tempfile.mkdtemp(prefix="browser-"))
    try:
        with (folder / "stderr").open("wb") as stderr:
            started = _start(of, folder, stderr, _NICE if gives_way else 0, names)
        try:
            yield started
        finally:
            started.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(of: Path, folder: Path, stderr: IO[bytes], nice: int, names: str) -> "Browser":
    """The DevTools read from file descriptor 3 and write to 4."""
    pipes = [_high(end) for end in (*os.pipe(), *os.pipe())]
    reads, orders, answers, writes = pipes
    options = [*OPTIONS, f"--host-resolver-rules={names}", f"--user-data-dir={folder / 'profile'}"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # which it has not for root
    process = subprocess.Popen(
        [
            *(sys.executable, "-ISc", _BECOME),
            *map(str, (reads, writes, nice, of)),
            *(*options, "about:blank"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        pass_fds=(reads, writes),
        # What it would leave in the home of whoever started it.
        env={
            **{name: value for name, value in os.environ.items() if name not in _LOCALE},
            "LANG": "en_US.UTF-8",  # of nothing, it would make a language that there is not
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
        },
        start_new_session=True,  # Ctrl-C is for us, who end it
    )
    os.close(reads)
    os.close(writes)
    return Browser(process, os.fdopen(orders, "wb", 0), os.fdopen(answers, "rb"), folder)


def _high(end: int) -> int:
    """The same end of a pipe, out of the way of those that the browser is given."""
    moved = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(end)
    return moved


class Browser:
    """A process, and what it says: each page hears its own."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        orders: IO[bytes],
        answers: IO[bytes],
        folder: Path,
    ) -> None:
        self._process, self._orders, self._answers, self._folder = process, orders, answers, folder
        self._number = 0
        self._answered: dict[int, dict[str, Any]] = {}
        self._pages: dict[str, Page] = {}
        self._news = threading.Condition()
        self._order = threading.Lock()
        self._gone = False
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Send a command; its result. Raises CheckFailed where it is refused, HostCannot where
        nothing answers."""
        message = {"method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        with self._news:
            self._number += 1
            number = self._number
        with contextlib.suppress(OSError), self._order:  # if it is gone, that is seen below
            self._orders.write(json.dumps({"id": number, **message}).encode() + b"\0")
        with self._news:
            self._news.wait_for(lambda: self._gone or number in self._answered, WITHIN_S)
            answer = self._answered.pop(number, None)
        if answer is None:
            raise HostCannot(
                f"the browser does not answer to {method}: {self._last_words()}",
                cure=f"{VARIABLE}=PATH names another Chromium.",
            )
        if "error" in answer:
            raise CheckFailed(f"the browser refuses {method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    @contextlib.contextmanager
    def page(self) -> Iterator["Page"]:
        """A page of its own, in a context that shares nothing with others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        try:
            target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
            session = self.call(
                "Target.attachToTarget", targetId=target["targetId"], flatten=True
            )["sessionId"]  # fmt: skip
            self._pages[session] = page = Page(self, session)
            for domain in ("Page", "Runtime", "Network", "Log", "Inspector"):
                page.call(f"{domain}.enable")
            yield page
        finally:
            with contextlib.suppress(HostCannot, CheckFailed):
                self.call("Target.disposeBrowserContext", browserContextId=context)

    def end(self) -> None:
        """End the process and all that it started."""
        with contextlib.suppress(OSError):
            self._orders.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(END_S)
        self._reader.join(END_S)
        self._answers.close()

    def _listen(self) -> None:
        rest = b""
        while chunk := self._answers.read1(1 << 20):  # type: ignore[attr-defined]
            *whole, rest = (rest + chunk).split(b"\0")
            for text in whole:
                self._take(json.loads(text))
        with self._news:
            self._gone = True
            self._news.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            with self._news:
                self._answered[message["id"]] = message
                self._news.notify_all()
        elif page := self._pages.get(message.get("sessionId", "")):
            page.hear(message["method"], message["params"])

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S if self._gone else 0)  # it may be on its way out
        code = self._process.poll()
        said = (self._folder / "stderr").read_text(errors="replace").strip().splitlines()
        state = "it runs" if code is None else f"it ended with {code}"
        return f"{state}; it said {said[-1]!r}" if said else state


@dataclass
class Page:
    """One page. `problems` and `foreign` gather what a good page has none of: messages on its
    console, and requests to another host than its own."""

    browser: Browser
    session: str
    problems: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Addresses of all that it asked for."""
    received_bytes: int = 0
    """Of all answers, as they came over the wire."""
    _own: str = ""

    def open(self, url: str) -> None:
        self._own = urlsplit(url).netloc
        self.call("Page.navigate", url=url)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **parameters)

    def ask(self, script: str) -> Any:
        """What a piece of JavaScript gives. Raises CheckFailed where it throws."""
        given = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if thrown := given.get("exceptionDetails"):
            raise CheckFailed(f"the page says {_words(thrown)} to {script}")
        return given["result"].get("value")

    def until(
        self,
        script: str,
        what: str = "",
        *,
        within_s: float = WITHIN_S,
        stop: Callable[[], bool] = lambda: False,
    ) -> Any:
        """What it gives as soon as that is true. Raises CheckFailed with `what` and what it gave at
        last; ends, with that, as soon as `stop` is true."""
        give_up, reason = time.monotonic() + within_s, ""
        while True:
            try:
                if found := self.ask(script):
                    return found
                reason = f"it gave {found!r}"
            except CheckFailed as error:
                reason = error.what
            if stop() or time.monotonic() > give_up:
                break
            time.sleep(LOOK_EVERY_S)
        raise CheckFailed(f"waited {within_s:g} s for {what or script}; at last {reason}")

    def shows(self, text: str) -> None:
        """Wait until the page shows a text."""
        self.until(f"document.body.innerText.includes({json.dumps(text)})", f"`{text}` to be shown")

    def press(self, key: str) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def size(self, width: int, height: int = 900) -> Self:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        return self

    def theme(self, name: str) -> None:
        """`dark` or `light`: what the person prefers."""
        feature = {"name": "prefers-color-scheme", "value": name}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def picture(self) -> bytes:
        """What is in sight, as a PNG file."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def hear(self, event: str, what: dict[str, Any]) -> None:
        """Take note of what the browser tells of the page."""
        if event == "Network.requestWillBeSent":
            self._note(what["request"]["url"])
        elif event == "Network.loadingFinished":
            self.received_bytes += int(what["encodedDataLength"])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(_words(what["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning"):
            self.problems.append(str(what["args"])[:_PROBLEM_LETTERS])
        elif event == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{what['entry']['text']} {what['entry'].get('url', '')}".strip())
        elif event == "Inspector.targetCrashed":
            self.problems.append("the page crashed")

    def _note(self, address: str) -> None:
        url = urlsplit(address)
        if url.scheme in ("data", "blob", "about"):
            return
        self.requests.append(address)
        if url.netloc != self._own:
            self.foreign.append(address)


def _words(thrown: dict[str, Any]) -> str:
    """What was thrown, in a line."""
    said = thrown.get("exception", {}).get("description") or thrown.get("text", "")
    return " ".join(str(said).split())[:_PROBLEM_LETTERS]
