"""How a locust that is one of several ended, where its own exit code has no word for it."""

from enum import IntEnum


class Ended(IntEnum):
    """Exit codes beside locust's own: 0, 1 when requests failed, 2 and 255 for what is wrong with
    itself."""

    NOT_ENOUGH_WORKERS = 11
    """Not all came in time; nothing was sent."""
    WORKERS_GONE = 12
    """None was left; the load ended before its time."""
    MASTER_GONE = 13
    """The worker heard no more of it, and ended as well."""
    REFUSED = 14
    """The worker may not load what its master wants, or cannot log in there; it said why."""
