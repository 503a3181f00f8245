"""The files of a new alert, with blanks for what only a person knows.

`draft` makes them from a name, an area and a severity; `files` puts them into files that exist,
below what is there, and `whole` writes all of them or none; `pieces/` has their texts.
`stack.check.blanks` names each blank that is left.

Not here: what a sound alert needs (`stack.check`). May import `stack.check` and what that may.
"""
