"""The endpoints, one module per subject.

The statuses that a route declares (`responses`) are also those that its counters start with.
"""
