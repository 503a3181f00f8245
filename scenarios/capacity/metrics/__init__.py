"""How many series and samples one Prometheus carries, and what comes after one machine.

`clinic` gets from a real scheduler what its metrics look like; a fleet (`loadgen.fleet`) serves
many of these, and `monitor` is the Prometheus that scrapes it. `bench` measures it, `sizes` says
what; `model` draws lines through several sizes. `receiver` compares what an instance writes
elsewhere. `run` does all of it in turn; `answer` and `report` say what was found.
"""
