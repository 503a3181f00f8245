"""How long going back takes, and images: `python -m tests.bench.bench_generations`, on an idle
machine.

Prints seconds for a rollback of a running instance in which one rule file differs, for one in which
the speed does (every service with a duration is restarted), and for the images of all services.
Uses ports and folders of its own.
"""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from stack.deploy.images.assembly import assemble
from stack.paths import CONFIG_ROOT
from stack.run.lifecycle import bring_down, bring_up
from stack.run.rollback import roll_back
from stack.store.packageset import realise

_NAME = "bench-generations"
_OFFSET = 17_000


def timed(what: str, call: Callable[[], object]) -> None:
    began = time.perf_counter()
    call()
    print(f"{what:44} {time.perf_counter() - began:6.2f} s")


def rollbacks(folder: Path) -> None:
    config = folder / "config"
    for source in CONFIG_ROOT.iterdir():
        if source.is_dir() and not any(source.glob("*.py")):
            shutil.copytree(source, config / source.name)
    bring_up(_NAME, port_offset=_OFFSET, config_root=config)
    rules = config / "prometheus" / "rules" / "database.yml"
    rules.write_text(re.sub(r"summary: .*", "summary: another", rules.read_text(), count=1))
    bring_up(_NAME, port_offset=_OFFSET, config_root=config)
    bring_up(_NAME, port_offset=_OFFSET, config_root=config, speed=2)
    timed("rollback, another speed", lambda: roll_back(_NAME, 2))
    timed("rollback, one rule file", lambda: roll_back(_NAME, 1))
    timed("rollback, nothing to do", lambda: roll_back(_NAME, 1))


def main() -> None:
    realise()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    os.environ["STACK_STATE"] = str(folder / "state")
    try:
        rollbacks(folder)
        timed("images of all services", lambda: assemble(folder / "images"))
    finally:
        bring_down(_NAME, wipe=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
