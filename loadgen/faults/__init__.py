"""Causes that can be injected into an instance and put right, one module each."""

from loadgen.faults.base import Fault, FaultFailed, Target
from loadgen.faults.database_link import SlowDatabaseLink
from loadgen.faults.disk import DiskFilled
from loadgen.faults.killed import ServiceKilled
from loadgen.faults.people import PeopleAway
from loadgen.faults.rights import DatabasePasswordChanged, TableRevoked
from loadgen.faults.service import ServiceStopped
from loadgen.faults.staff import StaffAbsent

__all__ = [
    "DatabasePasswordChanged",
    "DiskFilled",
    "Fault",
    "FaultFailed",
    "PeopleAway",
    "ServiceKilled",
    "ServiceStopped",
    "SlowDatabaseLink",
    "StaffAbsent",
    "TableRevoked",
    "Target",
]
