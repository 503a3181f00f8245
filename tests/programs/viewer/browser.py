"""A real browser without a window, over its DevTools protocol (chromedevtools.github.io)."""

import contextlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.leftovers import fresh
from tests.waiting import eventually

WITHIN_S = 90.0
"""A page of two megabytes of JavaScript, on a machine that is busy with other tests."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def found() -> str:
    """The browser's program: what STACK_BROWSER names, or an installed one. Skips without any."""
    named = os.environ.get("STACK_BROWSER")
    for name in (named,) if named else _NAMES:
        if path := shutil.which(name or ""):
            return path
    pytest.skip("there is no Chromium here; STACK_BROWSER names one")


@dataclass
class Tab:
    """One page. `problems` and `foreign` gather what a good page has none of: messages on its
    console, and requests to another host than its own."""

    connection: ClientConnection
    problems: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    _own: str = ""
    _number: int = 0
    _answers: dict[int, Any] = field(default_factory=dict)
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    def open(self, url: str) -> None:
        self._own = urlsplit(url).netloc
        self.call("Page.navigate", url=url)

    def call(self, method: str, **parameters: Any) -> Any:
        """Send a command; its result."""
        with self._arrived:
            self._number += 1
            number = self._number
        self.connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: number in self._answers, WITHIN_S)
        assert arrived, f"{method} was not answered within {WITHIN_S:g} s"
        answer = self._answers.pop(number)
        assert "error" not in answer, answer
        return answer["result"]

    def ask(self, script: str) -> Any:
        """What a piece of JavaScript gives."""
        given = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in given, given["exceptionDetails"]
        return given["result"].get("value")

    def until(self, script: str, what: str = "") -> Any:
        """What it gives as soon as that is true."""
        return eventually(lambda: self.ask(script), what or script, within_s=WITHIN_S)

    def shows(self, text: str) -> None:
        """Wait until the page shows a text."""
        self.until(f"document.body.innerText.includes({json.dumps(text)})", f"`{text}` to be shown")

    def press(self, key: str) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def size(self, width: int, height: int = 900) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def listen(self) -> None:
        """Read what the browser sends, until it closes. Runs in a thread of its own."""
        with contextlib.suppress(Exception):
            for text in self.connection:
                message = json.loads(text)
                if "id" in message:
                    with self._arrived:
                        self._answers[message["id"]] = message
                        self._arrived.notify_all()
                else:
                    self._take(message["method"], message["params"])

    def _take(self, event: str, what: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            url = urlsplit(what["request"]["url"])
            if url.scheme not in ("data", "blob") and url.netloc != self._own:
                self.foreign.append(what["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(str(what["exceptionDetails"])[:500])
        elif event == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning"):
            self.problems.append(str(what["args"])[:500])
        elif event == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{what['entry']['text']} {what['entry'].get('url', '')}")


@contextlib.contextmanager
def browser() -> Iterator[str]:
    """A browser that runs; the address of its DevTools, a WebSocket. Nothing of it stays."""
    folder = fresh("browser-")
    program = subprocess.Popen(
        [
            found(),
            "--headless=new",
            "--no-sandbox",  # as root there is none
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        written = folder / "DevToolsActivePort"
        lines = eventually(
            lambda: len(said := written.read_text().splitlines()) == 2 and said,
            "the browser to listen",
            within_s=WITHIN_S,
        )
        yield f"ws://127.0.0.1:{lines[0]}{lines[1]}"
    finally:
        program.terminate()
        program.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def tab(devtools: str) -> Iterator[Tab]:
    """A page of its own, in a context that shares nothing with others."""
    with connect(devtools, max_size=None) as whole:
        control = Tab(connection=whole)
        thread = threading.Thread(target=control.listen, daemon=True)
        thread.start()
        context = control.call("Target.createBrowserContext")["browserContextId"]
        target = control.call("Target.createTarget", url="about:blank", browserContextId=context)
        host = devtools.partition("/devtools/")[0]
        with connect(f"{host}/devtools/page/{target['targetId']}", max_size=None) as own:
            made = Tab(connection=own)
            reader = threading.Thread(target=made.listen, daemon=True)
            reader.start()
            for domain in ("Page", "Runtime", "Network", "Log"):
                made.call(f"{domain}.enable")
            made.size(1400)
            yield made
        control.call("Target.disposeBrowserContext", browserContextId=context)
    thread.join(10)
