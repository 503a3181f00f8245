"""What is expected of panels beyond what their queries and links say.

A panel that links the runbooks of alerts must move under the scenarios of these alerts: that needs
no entry. The others are declared here, by the dashboard's uid and the panel's id.
"""

from collections.abc import Mapping

Panel = tuple[str, str]
"""uid and id."""

EMPTY: Mapping[tuple[str, str, str], str] = {
    ("overview", "402", "A"): "nobody writes errors",
    ("application-metrics", "105", "B"): "nothing is known of yesterday",
    ("application-metrics", "106", "A"): "nobody loads it",
    ("application-metrics", "304", "A"): "the scheduler has nothing to complain of",
    ("application-metrics", "404", "A"): "schedules are made now and then",
    ("application-metrics", "404", "B"): "schedules are made now and then",
    ("application-metrics", "503", "A"): "schedules are validated now and then",
    ("application-metrics", "503", "B"): "schedules are validated now and then",
    ("database-metrics", "104", "A"): "nobody is refused",
    ("database-metrics", "502", "A"): "nobody waits for a lock",
    ("database-metrics", "601", "A"): "no session ends with FATAL",
    ("database-metrics", "601", "B"): "the server does not panic",
    ("database-metrics", "602", "A"): "the server has nothing to complain of",
    ("logs", "201", "A"): "the scheduler writes no errors",
    ("logs", "202", "A"): "nobody is refused",
    ("logs", "203", "A"): "nobody writes errors",
    ("logs", "301", "A"): "nobody complains",
    ("monitoring", "303", "A"): "nobody is notified",
    ("monitoring", "304", "A"): "nobody is notified",
    ("monitoring", "405", "A"): "nobody complains",
    ("monitoring", "405", "B"): "nobody complains",
    ("monitoring", "602", "A"): "nobody is refused at the front",
    ("monitoring", "605", "A"): "nobody asks it too often",
    ("monitoring", "701", "A"): "nobody ever backed it up",
}
"""uid, id and query → why it may have no data while all is well."""

AWAY = frozenset({("application-metrics", "106", "A")})
"""Queries whose source is not there while nobody loads the scheduler."""

MOVES: Mapping[Panel, tuple[str, ...]] = {
    ("overview", "104"): ("PostgreSQLDown",),
    ("overview", "105"): ("PrometheusConfigReloadFailed",),
    ("overview", "106"): ("PostgreSQLDown",),
    ("overview", "201"): ("APIServiceDown",),
    ("overview", "304"): ("HighCPUUsage",),
    ("overview", "402"): ("ApplicationErrorBurst",),
    ("application-metrics", "101"): ("APIServiceDown",),
    ("application-metrics", "102"): ("APIServiceDown",),
    ("application-metrics", "103"): ("HighLatencyP95",),
    ("application-metrics", "104"): ("HighLatencyP95",),
    ("application-metrics", "106"): ("APIServiceDown",),
    ("application-metrics", "202"): ("HighLatencyP95",),
    ("application-metrics", "203"): ("PostgreSQLDown",),
    ("application-metrics", "302"): ("HighErrorRate",),
    ("application-metrics", "303"): ("AuthenticationFailuresBurst",),
    ("application-metrics", "304"): ("ApplicationErrorBurst",),
    ("application-metrics", "403"): ("ScheduleGenerationFailures",),
    ("application-metrics", "502"): ("ACGMEComplianceViolations",),
    ("system-metrics", "101"): ("HighCPUUsage",),
    ("system-metrics", "103"): ("HighCPUUsage",),
    ("system-metrics", "201"): ("HighMemoryUsage",),
    ("system-metrics", "303"): ("DiskSpaceWarning",),
    ("system-metrics", "501"): ("ContainerDown",),
    ("system-metrics", "502"): ("ContainerDown",),
    ("database-metrics", "103"): ("PostgreSQLHighConnections",),
    ("database-metrics", "201"): ("PostgreSQLDown",),
    ("database-metrics", "202"): ("PostgreSQLDown",),
    ("database-metrics", "401"): ("PostgreSQLDown",),
    ("database-metrics", "402"): ("PostgreSQLDown",),
    ("database-metrics", "404"): ("PostgreSQLDown",),
    ("database-metrics", "501"): ("PostgreSQLDeadlocks",),
    ("database-metrics", "502"): ("PostgreSQLDeadlocks",),
    ("database-metrics", "602"): ("DatabaseFatalErrors",),
    ("logs", "101"): ("LogShippingStalled",),
    ("logs", "102"): ("LogShippingStalled",),
    ("logs", "203"): ("PostgreSQLDown",),
    ("logs", "301"): ("ApplicationErrorBurst",),
    ("logs", "401"): ("LogShippingStalled",),
    ("monitoring", "102"): ("TargetDown",),
    ("monitoring", "103"): ("TargetDown",),
    ("monitoring", "303"): ("PostgreSQLDown",),
    ("monitoring", "305"): ("PostgreSQLDown",),
    ("monitoring", "401"): ("LogShippingStalled",),
    ("monitoring", "402"): ("LogShippingStalled",),
    ("monitoring", "503"): ("TargetDown",),
    ("monitoring", "601"): ("UnauthorizedAccessAttempts",),
    ("monitoring", "604"): ("LogShippingStalled",),
}
"""Panel → the alerts whose scenario must move it."""

STEADY: Mapping[Panel, str] = {
    ("overview", "107"): "people stay logged in through every fault that is short",
    ("application-metrics", "503"): "how long a validation takes, no fault changes",
    ("application-metrics", "504"): "shows an hour of requests, and no fault is that long",
    ("system-metrics", "203"): "no fault makes the host swap",
    ("system-metrics", "304"): "no fault reads or writes the modelled disk",
    ("system-metrics", "305"): "no fault reads or writes the modelled disk",
    ("system-metrics", "402"): "no fault sends more",
    ("system-metrics", "403"): "no fault damages packets",
    ("database-metrics", "203"): "no fault sorts what does not fit into memory",
    ("database-metrics", "301"): "the data always fit into memory",
    ("database-metrics", "302"): "the data always fit into memory",
    ("database-metrics", "303"): "the data always fit into memory",
    ("monitoring", "105"): "Prometheus keeps its pace, or the machine is too slow for any proof",
    ("monitoring", "201"): "rules take as long as they take",
    ("monitoring", "202"): "rules are evaluated whatever happens",
    ("monitoring", "307"): "the way to Alertmanager is as short as ever",
    ("monitoring", "501"): "grows with what is scraped, slowly",
    ("monitoring", "502"): "grows with what is scraped, slowly",
    ("monitoring", "504"): "grows with time alone",
}
"""Panel → why no scenario moves it: it has data and possible values, and more is not claimed."""

BEYOND_ITS_UNIT = frozenset({("system-metrics", "302")})
"""Panels whose figures may be below zero: a prediction."""
