"""The inbox: stands in for Slack, PagerDuty, mail and a heartbeat monitor; records what arrives.

`slack`, `pagerduty`, `mail` and `heartbeat` hold each channel's rules as pure functions from what
was sent to what is recorded and answered; `desk` takes what they made; `web` and `smtp` listen;
`store` keeps everything; `views`, `mrkdwn` and `sanitise` show it, `runbooks` what to do about it.
Not here: which alerts exist and who should have been notified; its readers know that. Imports what
the programs share and the loose modules.
"""
