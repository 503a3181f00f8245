"""When things happen on a clinic day, in hours."""

GENERATES_AT = (6.5, 13.0)
"""The coordinators have a schedule made, and look whether it is compliant."""
