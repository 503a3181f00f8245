"""Ways out of the lab: what is made of the stack to run it elsewhere.

`images` makes OCI images of the services, `compose` runs them, `backup` keeps what an instance
holds, and puts it back.

Not here: how services run on this machine (`stack.run`), and bundles for a machine without a
network, which hold no stack but its parts (`stack.store`). May import `run`, `store` and the loose
modules of `stack`.
"""
