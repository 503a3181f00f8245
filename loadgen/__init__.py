"""What an instance is put through: traffic and faults.

`users` are the people of the clinic as Locust users, `shapes` says how many of them work and when,
`day` plans a whole clinic day. `traffic` runs Locust as a process, with `leash` loaded into it;
`away` sends users home; `host`, `namespaces` and `whose` know whom load may be sent to. `clinic` is
the locustfile of `doit load`: with `arrivals` and `open` for people who do not wait for answers,
`profiles` for how load goes up and down, and `exposed`, which tells Prometheus; `leashed`, and on
several machines `distributed`, `roster` and `ended`, see to its end. `fleet/` is a thousand
synthetic schedulers for a Prometheus to scrape; `loglines` writes log lines at a rate. `faults/`
breaks things on purpose, and its docstring is the index of them.

Not here: which alert a fault must fire and who must be notified (`scenarios`). May import
`stack.run` (what an instance is, and its services) and stack's loose modules; never a program of
`stack.programs`, never `scenarios`.
"""
