"""All that is done every night, as one command: stage after stage, with a summary at the end.

`stages` is the table; `running` runs one stage within its time and ends all of it; `ledger` keeps
what came of each, so that a night that was interrupted can go on; `summary` says it to people, and
`note` to those who are not there.

Not here: what the stages do. They are tasks of `dodo.py`, run as anybody would run them. May import
`scenarios.proof` and the loose modules of `stack`.
"""
