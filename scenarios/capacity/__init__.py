"""How much load one scheduler carries within its objective, and what is at its limit then.

`objective` reads from the alert rules what must hold; `search` finds the knee, the highest rate of
arrivals that holds it, on whatever can be measured (`window` says what that is); `limits` says what
saturated first, or that the load generator did. `bench` measures an instance under Locust, with
`told` as its locustfile; `answer` and `report` say what was found.

`metrics/` asks the same of a Prometheus; `logs/` measures the shipper and the store of logs, with
the same search. What pages share in their looks is `look.css`.

Not here: how load is made (`loadgen`), proofs of alerts (`proof`).
"""
