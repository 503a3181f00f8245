"""One file per alert, in folders named like the rule files; `proof/` runs them and judges."""
