"""Watchdog: Prometheus is stopped, and with it every alert.

The one that always fires stops arriving; whoever waits for its heartbeat says so, by a way that
needs neither Prometheus nor Alertmanager.
"""

from loadgen.faults.service import ServiceStopped
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, heartbeat
from stack.run.services.inbox import HEARTBEAT_MISSING_S

SCENARIO = Scenario(
    alert="Watchdog",
    labels={"severity": "none"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=ServiceStopped(service="prometheus"),
    notifications=(heartbeat("watchdog"),),
    missed_after_s=HEARTBEAT_MISSING_S,
)
