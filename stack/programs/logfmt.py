"""Log lines of the lab's own programs: logfmt with time and level first, as Prometheus writes them.

time=2026-11-24T11:09:55.765Z level=INFO source=worker msg="one line"
"""

import json
import re
import sys
import time

_PLAIN = re.compile(r"[^\s\"=]+")


def line(level: str, source: str, msg: str, **fields: object) -> str:
    """One line without its newline. Values are quoted where necessary; the time is UTC."""
    now_ms = time.time_ns() // 1_000_000
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now_ms // 1000))
    pairs = {"level": level, "source": source, "msg": msg, **fields}
    said = " ".join(f"{key}={_quoted(str(value))}" for key, value in pairs.items())
    return f"time={at}.{now_ms % 1000:03}Z {said}"


def say(level: str, source: str, msg: str, **fields: object) -> None:
    """Print one line to stdout immediately, in a single write."""
    sys.stdout.write(line(level, source, msg, **fields) + "\n")
    sys.stdout.flush()


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
