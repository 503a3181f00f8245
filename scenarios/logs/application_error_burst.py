"""ApplicationErrorBurst: the scheduler may no longer touch its table of assignments.

Each request that needs it leaves an error line with a traceback. A warning without a team: the
platform team reads it. The same requests may raise the alerts on failed requests.
"""

from loadgen.faults.rights import TableRevoked
from loadgen.shapes import ClinicMorning
from loadgen.users import Coordinator, Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="ApplicationErrorBurst",
    labels={"severity": "warning", "service": "residency-scheduler-backend"},
    traffic=Traffic(
        users=(Resident, Coordinator, Faculty),
        shape=ClinicMorning,
        failures_expected="500 from all that needs the table of assignments",
    ),
    fault=TableRevoked(table="assignments"),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
    may_also_fire=frozenset({"HighErrorRate", "CriticalErrorRate"}),
)
