"""ActiveUsersDropped: the residents log off, seven of ten people; yesterday they were at work.

A warning for the scheduling team, who may know whether something keeps people away.
"""

from loadgen.faults.people import PeopleAway
from loadgen.shapes import ClinicMorning
from loadgen.users import ComplianceOfficer, Planner, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="ActiveUsersDropped",
    labels={"severity": "warning", "team": "scheduling", "job": "backend"},
    traffic=Traffic(users=(Resident, Planner, ComplianceOfficer), shape=ClinicMorning),
    fault=PeopleAway(who=(Resident,), planners=False, shows_within_s=4.0),
    notifications=(
        slack("#alerts-scheduling"),
        email("scheduling@residency.example"),
    ),
    speedup=90,
)
