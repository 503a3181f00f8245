"""The people of a healthy morning, as a locustfile: what panels show while nothing is wrong."""

from loadgen.shapes import ClinicMorning
from loadgen.users import Coordinator, Faculty, Resident

__all__ = ["ClinicMorning", "Coordinator", "Faculty", "Resident"]
