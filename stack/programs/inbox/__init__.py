"""The inbox: stands in for Slack, PagerDuty, mail and a heartbeat monitor; records what arrives.

`slack`, `pagerduty`, `mail` and `heartbeat` hold each channel's rules as pure functions from what
was sent to what is recorded and answered; `web` and `smtp` are the thin edge that listens; `store`
keeps it all. Nothing here knows which alerts exist or who should have been told: that is for its
readers.
"""
