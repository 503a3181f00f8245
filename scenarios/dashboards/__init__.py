"""Each panel shows what it claims: data on a healthy day, possible values, and faults move it.

`declared` says which panels are empty while all is well, and which scenario must move which panel;
`asking` asks an instance what a panel asks; `judging` compares data frames, purely, and never
pictures; `play` brings an instance to life and breaks it; `run` is the whole, `report` writes.

Not here: the dashboards (`stack/config/grafana/`), and what can be said of them without an instance
(`stack.check`). May import `proof`, `quiet`'s traffic, `loadgen` and `stack`.
"""
