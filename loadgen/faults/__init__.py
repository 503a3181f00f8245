"""Causes that can be injected into an instance and put right, one module each."""

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
