"""Alerts on the front: who tries to get in, and whether it can be trusted."""
