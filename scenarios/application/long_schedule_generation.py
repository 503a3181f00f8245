"""LongScheduleGeneration: fifty of sixty residents are on leave in the days that coordinators plan.

Most slots can be filled only by breaking limits, and the solver, whose time is modelled, searches
for more than five minutes. A warning for the scheduling team.
"""

from loadgen.faults.staff import StaffAbsent
from loadgen.shapes import ClinicMorning
from loadgen.users import PLANNED, Planner, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="LongScheduleGeneration",
    labels={"severity": "warning", "team": "scheduling", "job": "backend"},
    traffic=Traffic(users=(Resident, Planner), shape=ClinicMorning),
    fault=StaffAbsent(people=range(1, 51), days=PLANNED),
    notifications=(
        slack("#alerts-scheduling"),
        email("scheduling@residency.example"),
    ),
)
