"""ContainerMemoryHigh: the background worker leaks, up to 90 % of the memory that it may hold.

The memory is really held. A warning for the infrastructure team, before the kernel would end it.
"""

from loadgen.faults import container
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="ContainerMemoryHigh",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "instance": "scheduler-host",
        "name": "worker",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=container.memory(of_limit=0.90),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
)
