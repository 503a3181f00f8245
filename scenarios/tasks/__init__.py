"""What the tasks of `dodo.py` that play scenarios do, a module each; the others are `stack.tasks`.

A module is named after its task. Here the proof and what else it plays are put together, so that
`proof`, `routing` and `quiet` need not know who uses them.

Not here: how tasks are declared (`stack.tasks.declaration`) and scenarios themselves. May import
everything; nothing but `dodo.py` imports it.
"""
