"""AuthenticationFailuresBurst: somebody guesses a coordinator's password, four times a second.

Every guess is refused and logged; everybody else works on. A warning without a team: the platform
team reads it.
"""

from loadgen.faults.intruders import PasswordsGuessed
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="AuthenticationFailuresBurst",
    labels={"severity": "warning", "service": "residency-scheduler-backend"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=PasswordsGuessed(username="coordinator1"),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
