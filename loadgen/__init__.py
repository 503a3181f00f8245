"""Traffic (Locust users and shapes) and faults for an instance; knows nothing of scenarios."""
