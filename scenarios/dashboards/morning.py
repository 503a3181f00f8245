"""The people of a healthy morning, as a locustfile: what panels show while nothing is wrong."""

from loadgen.shapes import ClinicMorning
from loadgen.users import Coordinator, Faculty, Resident
from scenarios.proof.scenario import Traffic

TRAFFIC = Traffic(users=(Resident, Coordinator, Faculty), shape=ClinicMorning)
