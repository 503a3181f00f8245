"""OCI images of the services, made from their closures without a daemon.

`declared` says how each service runs in a container; `layer` makes a layer of each store path,
`oci` the documents around them; `python` is what the lab's own programs need; `assembly` puts these
together. The same lock and sources give the same bytes on every machine.

Not here: what is printed (`stack.tasks.images`). May import what `stack.deploy` may.
"""
