"""BackupFailed: the nightly backup finds no room for its files; the next one does.

A warning for the platform team: earlier backups are whole, but this night is in none.
"""

from loadgen.faults.backups import NoRoomForBackup
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="BackupFailed",
    labels={"severity": "warning", "team": "platform", "instance": "scheduler-host"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=NoRoomForBackup(),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
