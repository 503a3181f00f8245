"""The services of the stack, one module each; adding a service is adding a module and naming it.

Order is that of `doit status`; what waits for what stands in each service's `after`.
"""

from stack.run.service import Service
from stack.run.services import (
    alertmanager,
    backend,
    blackbox_exporter,
    cadvisor,
    database_link,
    inbox,
    loki,
    node_exporter,
    postgres_exporter,
    postgresql,
    prometheus,
    promtail,
    simulated_host,
    worker,
)

SERVICES: dict[str, Service] = {
    module.SERVICE.name: module.SERVICE
    for module in (
        postgresql,
        database_link,
        backend,
        worker,
        blackbox_exporter,
        postgres_exporter,
        simulated_host,
        node_exporter,
        cadvisor,
        prometheus,
        alertmanager,
        inbox,
        loki,
        promtail,
    )
}
