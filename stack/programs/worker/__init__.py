"""Stub of the scheduler's background worker, which keeps the rosters tidy; it has no port.

`python -m stack.programs.worker` runs it. It can be told, through a control file, to burn CPU, to
hold memory and to crash, really and within bounds. `wishes` reads the file, `strain` does what it
says.
"""
