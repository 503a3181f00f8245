"""ScheduleGenerationFailures: all faculty are on leave in the days that coordinators plan.

Nobody can supervise, so that each run of the generation is refused (409, `no_staff`). A warning
for the scheduling team.
"""

from loadgen.faults.staff import StaffAbsent
from loadgen.shapes import ClinicMorning
from loadgen.users import FACULTY_IDS, PLANNED, Planner, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="ScheduleGenerationFailures",
    labels={"severity": "warning", "team": "scheduling", "job": "backend"},
    traffic=Traffic(users=(Resident, Planner), shape=ClinicMorning),
    fault=StaffAbsent(people=FACULTY_IDS, days=PLANNED),
    notifications=(
        slack("#alerts-scheduling"),
        email("scheduling@residency.example"),
    ),
    speedup=12,
)
