"""Loaded into locust alone: ends it when whoever started it is gone, for whatever reason."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

LOOK_EVERY_S = 0.5


def begin(told: str) -> None:
    """From now on, in the background; the file `told`, if it is one, goes as well."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As a shell has it for what it starts in the background; whoever started this one decides.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Locust has patched threading: this thread is a greenlet beside the users.
    threading.Thread(target=_watch, args=(os.getppid(), told), daemon=True).start()


def _watch(parent: int, told: str) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    if told:
        Path(told).unlink(missing_ok=True)
    sys.stderr.write("the process that started locust is gone; locust ends too\n")
    os._exit(1)
