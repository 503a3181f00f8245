"""A clinic day on which all is well, and on which nobody may be notified of anything.

`loadgen.day` decides the day, `clinic` is its locustfile, `count` asks Prometheus and Loki at its
end, `verdict` judges it purely, `run` plays it on an instance. The other scenarios show that alerts
fire; this one, that they do not.

Not here: the day itself (`loadgen.day`), and scenarios of alerts. May import `proof`, `loadgen` and
`stack`.
"""
