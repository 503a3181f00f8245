"""ACGMEComplianceViolations: a fortnight is planned with ten of sixty residents, and validated.

Who is left works too long, without a day off: the violations are computed. A warning for the
compliance team. Planning such days also takes long.
"""

from loadgen.faults.staff import StaffAbsent
from loadgen.shapes import ClinicMorning
from loadgen.users import PLANNED, ComplianceOfficer, Planner, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="ACGMEComplianceViolations",
    labels={"severity": "warning", "team": "compliance", "job": "backend"},
    traffic=Traffic(users=(Resident, Planner, ComplianceOfficer), shape=ClinicMorning),
    fault=StaffAbsent(people=range(1, 51), days=PLANNED),
    notifications=(
        slack("#alerts-compliance"),
        email("compliance@residency.example"),
    ),
    may_also_fire=frozenset({"LongScheduleGeneration"}),
    speedup=90,
)
