"""Which breakages of a configuration would nobody notice? One thing is changed at a time, on
purpose, in a copy; a mutant that no check and no unit test notices has survived."""
