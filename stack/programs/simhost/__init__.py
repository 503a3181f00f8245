"""The simulated host: the small synthetic `/proc`, `/sys` and disks that node_exporter reads.

`python -m stack.programs.simhost` keeps the files alive (`model`, `files`, `tree`); `python -m
stack.programs.simhost.enter` gives node_exporter its disks (`namespace`); `disk` fills them from
outside. CPU, memory, network and load are modelled, because real pressure would hurt the machine
that runs the lab; the disk is really filled, because a small tmpfs of its own can be. Not here:
node_exporter itself (a package) and the alerts. Imports what the programs share and the loose
modules.
"""

from stack.programs.simhost.exporter import node_exporter_arguments

__all__ = ["node_exporter_arguments"]
