"""Causes that can be injected into an instance and put right, one module each.

A module is loaded when a fault of it is asked for: what the others need, such as a database's
client, would take locust, which reads scenario files too, a quarter of a second of CPU.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadgen.faults.base import Fault, FaultFailed, Target
    from loadgen.faults.database_link import SlowDatabaseLink
    from loadgen.faults.disk import DiskFilled
    from loadgen.faults.intruders import DatabaseLogInsRefused, PasswordsGuessed
    from loadgen.faults.killed import ServiceKilled
    from loadgen.faults.people import PeopleAway
    from loadgen.faults.rights import DatabasePasswordChanged, TableRevoked
    from loadgen.faults.service import ServiceStopped
    from loadgen.faults.staff import StaffAbsent

__all__ = [
    "DatabaseLogInsRefused",
    "DatabasePasswordChanged",
    "DiskFilled",
    "Fault",
    "FaultFailed",
    "PasswordsGuessed",
    "PeopleAway",
    "ServiceKilled",
    "ServiceStopped",
    "SlowDatabaseLink",
    "StaffAbsent",
    "TableRevoked",
    "Target",
]

_HOMES = {
    "DatabaseLogInsRefused": "intruders",
    "DatabasePasswordChanged": "rights",
    "DiskFilled": "disk",
    "Fault": "base",
    "FaultFailed": "base",
    "PasswordsGuessed": "intruders",
    "PeopleAway": "people",
    "ServiceKilled": "killed",
    "ServiceStopped": "service",
    "SlowDatabaseLink": "database_link",
    "StaffAbsent": "staff",
    "TableRevoked": "rights",
    "Target": "base",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `{__name__}` has no `{name}`")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
