"""ContainerCPUHigh: a job of the background worker spins, at 92 % of the CPU that it may use.

It really burns 92 of the 100 ms that it has in each second, little enough for a busy machine. A
warning for the infrastructure team; users notice nothing.
"""

from loadgen.faults import container
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="ContainerCPUHigh",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "instance": "scheduler-host",
        "name": "worker",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=container.cpu(of_limit=0.92),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
)
