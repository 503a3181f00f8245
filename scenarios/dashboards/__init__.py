"""Each panel shows what it claims: data on a healthy day, possible values, and faults move it.

`declared` says which panels are empty while all is well, and which scenario must move which panel;
`asking` asks an instance what a panel asks; `judging` compares data frames, purely, and never
pictures; `looking` does so of one panel before, during and after a fault. `healthy` plays the
morning and `play` a group of faults, each on an instance that `proof` brings up and shares out, as
it does for alerts; `browser` is a real one, in which `screens` opens each dashboard on that
morning; `run` is the whole, `report` writes.

Not here: the dashboards (`stack/config/grafana/`), and what can be said of them without an instance
(`stack.check`). May import `proof`, `quiet`'s traffic, `loadgen` and `stack`.
"""
