"""A living system to show, and incidents on cue: the faults of proven scenarios, started by a
button, by hand or by a schedule on a running instance, and undone whatever happens.

`run` is the show: `week` the model of what lies behind it, `history` its metrics, `lines` its logs.
`incident` says which incidents there are and what must be seen of each, `ledger` what is going on
and what was (the ground truth), `keeper` is the process that holds one, `stage` begins and ends
them, `marks` is an annotation on the dashboards, `schedule` a day with some. `board` and `web` are
the page with the buttons. `leftovers` undoes what nobody keeps any more.

Not here: the faults (`loadgen.faults`), the scenarios and their proof (`scenarios.proof`), what
`doit incident` prints (`scenarios.tasks`). May import `proof`, `quiet`, `loadgen` and `stack`.
"""
