"""Causes that can be injected into an instance and put right, one module each."""
