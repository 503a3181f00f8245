"""What is built and run: the store, the packages, the services and the running instance.

Nothing in here knows of `loadgen` (traffic and faults) or `scenarios` (the proof).
"""
