"""CertificateExpiringSoon: nobody renews the front's certificate, and three days are left.

It is really served, and really runs out so soon, at the instance's speed. Nobody else notices yet.
A warning for the infrastructure team.
"""

from loadgen.faults.front import CertificateNotRenewed
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="CertificateExpiringSoon",
    labels={"severity": "warning", "team": "infrastructure", "instance": "proxy"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=CertificateNotRenewed(days=3),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
)
