"""Ship logs as a Promtail configuration says: `--config promtail-config.yml`."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from stack.errors import LabError
from stack.programs.bearer import bearer
from stack.programs.logfmt import say
from stack.programs.logship.settings import read
from stack.programs.logship.shipper import Shipper
from stack.programs.logship.web import server
from stack.programs.memory import within


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m stack.programs.logship", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="promtail-config.yml")
    parser.add_argument("--token", type=Path, metavar="FILE", help="by which the store knows it")
    parser.add_argument("--check", action="store_true", help="only check the configuration")
    options = parser.parse_args()
    try:
        settings = read(options.config)
        if options.check:
            print(f"{options.config} is valid.")
            return 0
        _ship(Shipper(settings, bearer(options.token)))
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _ship(shipper: Shipper) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: shipper.stop())
    client = shipper.settings.client
    with server(shipper) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.5,), daemon=True).start()
        say("info", "promtail", "shipping", to=f"{client.host}:{client.port}",
            port=shipper.settings.port)  # fmt: skip
        shipper.run()
        listening.shutdown()


if __name__ == "__main__":
    sys.exit(within("promtail", main))
