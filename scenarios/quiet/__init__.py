"""A clinic day on which all is well, and on which nobody must hear anything.

`loadgen.day` decides the day, `clinic` is its locustfile, `verdict` judges it purely, `run` plays
it on an instance. The other scenarios show that alerts fire; this one, that they do not.
"""
