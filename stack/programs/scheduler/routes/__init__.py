"""The endpoints, one module a subject.

The statuses that a route declares (`responses`) are also the ones that its counters start with.
"""
