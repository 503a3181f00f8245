"""Backups of a running instance, and their proof: that a restored one gives the same answers.

`catalogue` keeps backups: each a folder whose manifest has the hash of every file. `parts` says
what of each service is taken and put back, `questions` what is asked, `taking` makes a backup of
what runs, `restoring` an instance of a backup, `recorded` lets Prometheus know what came of it.

Not in a backup: what can be made again (programs, the scheduler's seed aside, configuration that is
checked in). Secrets are in it for those who name a key, encrypted (`sealed`); otherwise a restored
instance has its own. May import `stack.run`.
"""
