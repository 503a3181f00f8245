"""ContainerRestarting: the background worker crashes half a second after each start.

The supervisor really restarts it each time. An hour is five seconds here, and a minute too short
to tell a restart from a stop: each of its starts may burn the little CPU it has, and be missed.
"""

from loadgen.faults import container
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="ContainerRestarting",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "instance": "scheduler-host",
        "name": "worker",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=container.crash_loop(life_s=0.5, restarts=4),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
    may_also_fire=frozenset({"ContainerDown", "ContainerCPUHigh"}),
    speedup=12,
)
