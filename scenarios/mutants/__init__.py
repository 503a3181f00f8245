"""`doit mutate`: which breakages of the configuration nobody would notice, and what would."""
