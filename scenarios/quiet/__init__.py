"""A clinic day on which all is well, and on which nobody must hear anything.

`loadgen.day` decides the day, `clinic` is its locustfile, `verdict` judges it purely, `run` plays
it on an instance. The other scenarios show that alerts fire; this one, that they do not.
"""


def quiet_day(seed: int | None = None, speed: float = 960.0) -> int:
    """Live one day and judge it. See `scenarios.quiet.run.quiet_day`."""
    from scenarios.quiet import run

    return run.quiet_day(seed, speed=speed)
