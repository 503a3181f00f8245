"""What is built and run. A room for each reason, the highest first; none knows one above it:

- `tasks`: what the tasks of `dodo.py` do
- `deploy`: ways out of this machine (OCI images); `check`: what needs no running instance
- `run`: one running stack, its services and its life
- `programs`: the lab's own programs, which services start
- `speed`: durations divided in rules and configuration; `logql`: the language of the log store
- `store`: packages built from pinned parts (`lock.toml`); `config`: the files that people edit

Loose modules are what every room uses. `bootstrap` makes the virtual environment before anything
else. Nothing in here knows of `loadgen` (traffic and faults) or `scenarios` (proofs).
"""
