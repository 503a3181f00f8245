"""A fleet of synthetic schedulers in one process, for a Prometheus to scrape.

`shape` reads how a scheduler's own `/metrics` looks, from a text that a real one answered;
`member` is one synthetic scheduler, whose counters and histograms live; `roster` says which of them
there are now (instances and label values come and go) and tells Prometheus; `serve` answers
scrapes. `python -m loadgen.fleet` is the process, `process` starts and ends it.

Not here: what is measured with it (`scenarios.capacity.metrics`).
"""
