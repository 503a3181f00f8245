"""The services of the stack, one module each; adding a service is adding a module and naming it.

A module describes its service and starts nothing. Those of the lab's own programs
(`stack.programs`) are the only ones who know them. Order is that of `doit status`; what waits for
what stands in each service's `after`. Every command reads this list: what only rendering or
checking needs, and takes long to import, is imported there.
"""

from stack.run.service import Service
from stack.run.services import (
    alertmanager,
    backend,
    blackbox_exporter,
    cadvisor,
    database_link,
    grafana,
    ident,
    inbox,
    loki,
    nginx,
    node_exporter,
    postgres_exporter,
    postgresql,
    prometheus,
    promtail,
    proxy,
    simulated_host,
    victoria,
    worker,
)

SERVICES: dict[str, Service] = {}
"""Name → service, of those that every instance has."""

OPTIONAL = {victoria.NAME: victoria.SERVICE}
"""Those that one has only if that was asked for."""

ALL: dict[str, Service] = {}
"""Name → service."""

SERVICES |= {
    service.name: service
    for service in (
        postgresql.SERVICE,
        database_link.SERVICE,
        backend.SERVICE,
        worker.SERVICE,
        blackbox_exporter.SERVICE,
        postgres_exporter.SERVICE,
        simulated_host.SERVICE,
        node_exporter.SERVICE,
        cadvisor.service(ALL),
        prometheus.SERVICE,
        alertmanager.SERVICE,
        inbox.SERVICE,
        loki.SERVICE,
        promtail.SERVICE,
        grafana.SERVICE,
        proxy.SERVICE,
        ident.SERVICE,
    )
}
SERVICES[nginx.NAME] = nginx.service({**SERVICES, **OPTIONAL})
ALL |= {**SERVICES, **OPTIONAL}

AFTER = {service.name: service.after for service in ALL.values()}
"""Service → those that it comes after; they are stopped in the reverse order."""
