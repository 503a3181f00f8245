"""The locustfile of `doit load`: the people of a clinic, waiting for their answers or not.

`locust -f loadgen/clinic.py` is the same with locust's own options. `--open-pace` makes each user a
source of arrivals that wait for nobody; `--load-profile`, with `loadgen/profiled.py` loaded as
well, lets the load go up and down. Prometheus can be told where figures are (`loadgen.exposed`).
"""

from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import events

from loadgen import exposed
from loadgen.arrivals import MOST_IN_FLIGHT
from loadgen.open import opened
from loadgen.profiles import PROFILES
from loadgen.users import PACE_S, ClinicUser, Coordinator, Faculty, Resident

__all__ = ["Coordinator", "Faculty", "Resident"]


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _options(parser: Any) -> None:
    ours = parser.add_argument_group("The clinic")
    options: dict[str, dict[str, Any]] = {
        "--open-pace": {
            "type": float,
            "default": 0.0,
            "metavar": "SECONDS",
            "help": "each user makes a request so often, whatever becomes of the one before",
        },
        "--pace": {
            "type": float,
            "default": PACE_S,
            "metavar": "SECONDS",
            "help": "from a request of one who waits to the next one; 0: as soon as it is answered",
        },
        "--in-flight": {
            "type": int,
            "default": MOST_IN_FLIGHT,
            "metavar": "N",
            "help": "requests that may be on their way at once, with --open-pace",
        },
        "--load-profile": {
            "choices": [*PROFILES],
            "default": "soak",
            "help": "how the load goes up and down, with loadgen/profiled.py",
        },
        "--tell": {
            "default": "",
            "metavar": "FILE",
            "help": "says where figures are, as Prometheus' file_sd has it",
        },
    }
    for name, how in options.items():
        ours.add_argument(name, **how)


@events.init.add_listener  # type: ignore[untyped-decorator]
def _begin(environment: Any, **_: Any) -> None:
    # Timers count from when gevent last looked at the clock. On a busy machine that was seconds
    # ago, and --run-time would be over before it began.
    gevent.get_hub().loop.update_now()
    options = environment.parsed_options
    ClinicUser.pace_s = options.pace
    if options.open_pace:
        # Locust's workers have their share of all that may be in flight.
        most = max(1, options.in_flight // max(1, options.processes or 1))
        environment.user_classes = [
            opened(one, options.open_pace, most) for one in environment.user_classes
        ]
    exposed.begin(environment, options.tell, is_open=bool(options.open_pace))
