"""Runs scenarios against instances, keeps the evidence, judges it and reports.

`scenario` declares; `deadlines` and `absence` derive; `chain`, `overload` and `verdict` judge, all
purely. `watch` observes, `gate` and `play` act on one instance; `packing` and `estimate` say what
runs together and how long, `workers` do it on several instances, `run` is the whole. `result` is
what came of it; `graphs` and `history` add figures, `report`, `page` and `chart` write.
"""
