"""`python -m stack.tasks TASK`: the tasks of the `dodo.py` here."""

import sys

from stack.tasks.front import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
