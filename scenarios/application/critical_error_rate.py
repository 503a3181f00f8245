"""CriticalErrorRate: the scheduler may no longer touch its busiest table, the assignments.

Nobody can look at a schedule. Critical, and without a team: the platform team is paged; the
warning about the same requests is not told.
"""

from loadgen.faults.rights import TableRevoked
from loadgen.shapes import ClinicMorning
from loadgen.users import Coordinator, Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="CriticalErrorRate",
    labels={"severity": "critical", "job": "backend"},
    traffic=Traffic(
        users=(Resident, Coordinator, Faculty),
        shape=ClinicMorning,
        failures_expected="500 from all that needs the table of assignments",
    ),
    fault=TableRevoked(table="assignments"),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
    may_also_fire=frozenset({"ApplicationErrorBurst"}),
    inhibited=frozenset({"HighErrorRate"}),
)
