"""Incidents on cue: the faults of proven scenarios, started by hand or by a schedule on a running
instance, and undone whatever happens.

`incident` says which there are and what must be seen of each, `ledger` what is going on and what
was (the ground truth), `keeper` is the process that holds one, `marks` its annotation on the
dashboards, `schedule` a day with some.

Not here: the faults (`loadgen.faults`), the scenarios and their proof (`scenarios.proof`), what
`doit incident` prints (`scenarios.tasks`). May import `proof`, `loadgen` and `stack`.
"""
