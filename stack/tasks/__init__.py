"""What the tasks of `dodo.py` do: a module for each task or family, and how tasks are declared.

`front` is the command: it reads the tasks of `dodo.py` (`declaration`, `dodofile`), what is asked
for (`commandline`), and answers with help (`helping`), names to complete (`completion`, `known`) or
by running a task. These need nothing but Python. A module is otherwise named
after its task (`doit gc`: `gc`), or after what its tasks are about (`up`, `status`, `logs` …:
`instance`). Here arguments are understood and answers printed; the work is done in the other rooms.

Not here: `verify-alerts` and `quiet-day`, which are about traffic and proofs (`scenarios/tasks/`).
May import every other room of `stack` but its programs.
"""
