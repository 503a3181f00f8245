"""What the tasks of `dodo.py` that play scenarios do, a module each, named after its task.

`verify_alerts` puts the proof and the routing cases together, so that `proof` need not know what
else it plays.

Not here: the other tasks and how tasks are declared (`stack.tasks`), and the work itself. May
import everything; nothing but `dodo.py` imports it.
"""
