"""NoSchedulesGenerated: the coordinators stop generating schedules.

Everybody else keeps working. An information for the scheduling team, in their channel alone.
"""

from loadgen.faults.people import PeopleAway
from loadgen.shapes import ClinicMorning
from loadgen.users import ComplianceOfficer, Planner, Resident
from scenarios.proof.scenario import Scenario, Traffic, slack

SCENARIO = Scenario(
    alert="NoSchedulesGenerated",
    labels={"severity": "info", "team": "scheduling", "job": "backend"},
    traffic=Traffic(users=(Resident, Planner, ComplianceOfficer), shape=ClinicMorning),
    fault=PeopleAway(who=(Planner,)),
    notifications=(slack("#alerts-scheduling"),),
    speedup=90,
)
