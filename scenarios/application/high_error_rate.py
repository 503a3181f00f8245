"""HighErrorRate: the scheduler may no longer touch the table of violations.

Every seventh person works with that table and gets 500; all others do not notice. A warning
without a team: the platform team reads it, nobody is paged.
"""

from loadgen.faults.rights import TableRevoked
from loadgen.shapes import BusyClinic
from loadgen.users import ComplianceOfficer, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="HighErrorRate",
    labels={"severity": "warning", "job": "backend"},
    traffic=Traffic(
        users=(Resident, ComplianceOfficer),
        shape=BusyClinic,
        failures_expected="500 from all that needs the table of violations",
    ),
    fault=TableRevoked(table="violations"),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
    may_also_fire=frozenset({"ApplicationErrorBurst"}),
)
