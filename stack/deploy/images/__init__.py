"""OCI images of the services, made from their closures without a daemon.

`declared` says how each service runs in a container; `layer` makes a layer of each store path,
`oci` the documents around them; `assembly` puts these together. The same lock gives the same bytes
on every machine. The lab's own Python programs come from no package, so they get no image.

Not here: what is printed (`stack.tasks.images`). May import what `stack.deploy` may.
"""
