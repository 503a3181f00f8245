"""UnauthorizedAccessAttempts: somebody guesses the password of the front's operator.

Four times a second, from an address of their own; each guess is refused and stands in the audit
log. Everybody else works on. On-call is paged: whoever gets in can silence every alert.
"""

from loadgen.faults.front import STRANGER, IntruderAtFront
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="UnauthorizedAccessAttempts",
    labels={"severity": "critical", "service": "proxy", "address": STRANGER},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=IntruderAtFront(),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
