"""BackupTooOld: one backup was taken, and then nobody took another for 26 hours.

A warning for the platform team. A day is 48 seconds here; the fault ends with a backup.
"""

from loadgen.faults.backups import BackupsForgotten
from loadgen.shapes import ClinicMorning
from loadgen.users import ComplianceOfficer, Planner, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="BackupTooOld",
    labels={"severity": "warning", "team": "platform", "instance": "scheduler-host"},
    traffic=Traffic(users=(Resident, Planner, ComplianceOfficer), shape=ClinicMorning),
    # 26 h are 52 s at speed 1800, from when the backup was begun, which takes up to 20 s on a busy
    # machine; twice that when it is played again, slower.
    fault=BackupsForgotten(hours=26, shows_after_s=30.0, shows_within_s=108.0),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
    speedup=30,
)
