"""Runs scenarios against instances, keeps the evidence, judges it and reports.

`scenario` declares, `deadlines` derives, `verdict` judges (all three pure); `watch` observes,
`play` acts on one instance, `run` packs scenarios onto instances, `report` writes.
"""
