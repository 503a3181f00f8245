"""Stub of the scheduler's background worker, which keeps the rosters tidy; it has no port.

A control file can make it burn CPU, hold memory and crash, for real and within bounds. `wishes`
reads the file, `strain` does what it says. Not here: who writes that file (`loadgen`). Imports what
the programs share and the loose modules.
"""
