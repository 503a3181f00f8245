"""BackupTooOld: one backup was taken, and then nobody took another for 26 hours.

A warning for the platform team. A day is half a minute here; the fault ends with a backup.
"""

from loadgen.faults.backups import BackupsForgotten
from loadgen.shapes import ClinicMorning
from loadgen.users import ComplianceOfficer, Planner, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="BackupTooOld",
    labels={"severity": "warning", "team": "platform", "instance": "scheduler-host"},
    traffic=Traffic(users=(Resident, Planner, ComplianceOfficer), shape=ClinicMorning),
    # 26 h are 35 s at speed 2700, from when the backup was begun; twice that when it is played
    # again, slower.
    fault=BackupsForgotten(hours=26, shows_after_s=20.0, shows_within_s=72.0),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
    speedup=45,
)
