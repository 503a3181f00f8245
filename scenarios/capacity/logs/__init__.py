"""How many log lines one machine ships and keeps, how long questions take, and what it costs.

`pair` is what is measured: a shipper and a store of an instance whose other services are stopped.
`watch` sees how long lines are on their way, `bench` makes load for the search and measures, `fill`
stores lines of the last hour at once, `questions` are those of dashboards and log rules, `stored`
asks them at several volumes and weighs the disk. `answer` and `report` say what was found, `run`
does all of it.

Not here: how lines are written (`loadgen.loglines`), the search for the knee (`capacity.search`).
"""
