"""Tells nginx which user of this machine asks it."""
