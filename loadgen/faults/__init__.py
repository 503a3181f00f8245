"""Causes that can be injected into an instance and put right, one module each."""

from loadgen.faults.base import Fault, FaultFailed, Target
from loadgen.faults.database_link import SlowDatabaseLink
from loadgen.faults.disk import DiskFilled
from loadgen.faults.service import ServiceStopped

__all__ = ["DiskFilled", "Fault", "FaultFailed", "ServiceStopped", "SlowDatabaseLink", "Target"]
