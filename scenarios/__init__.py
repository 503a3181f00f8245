"""One file per alert: traffic, a fault, the alert and the notifications that must follow.

They lie in folders named like the rule files (`application/`, `database/` …), each file named
after its alert, and each a locustfile as well. Beside them: `proof/` runs and judges them,
`routing/` has claims about the routing tree, `quiet/` a day on which nothing may fire, `capacity/`
finds how much load one scheduler carries, `tasks/` is what `doit` calls.

Not here: traffic and faults themselves (`loadgen`), rules and routes (`stack/config`). May import
`loadgen` and `stack`; nothing but `dodo.py` imports it.
"""
