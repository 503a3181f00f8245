"""Runs scenarios against instances, keeps the evidence, judges it and reports.

`scenario` declares, `catalogue` finds; `timing`, `deadlines` and `absence` derive; `chain`,
`overload` and `verdict` judge, all purely. `watch` observes, `gate` and `play` act on one instance;
`packing` and `estimate` say what runs together and how long, `workers` do it on several instances,
`run` is the whole. `inputs` says what a verdict follows from (`configured` of the configuration,
`codefiles` of the code), `verdicts` keeps those that are proven, and `reuse` says which still hold.
`result` is what came of it; `graphs`, `noise` and `history` add figures; `report`, `page` and
`chart` write. `kept` is what a report keeps for being judged again, `sealing` writes it; `opening`
reads it, `rejudge` judges; `attestation` and `signing` are for those who rely on it.

Not here: what else a proof plays; `routing` is handed in by `tasks`. May import `loadgen` and
`stack`, and of `scenarios` only the scenario files, when it plays them.
"""
