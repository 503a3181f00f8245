"""The packages that the stack runs from: one module for each, listed here.

A package says which Debian packages, or which upstream release, it is made of, what of it it keeps,
and which programs it offers; or which sources and packages of npm a web page is bundled from. The
path of its module is not part of that, nor of the output's name.

Not here: how an output is made of it (`stack.store.builder`), and versions (`stack/lock.toml`,
`stack/npm-lock.json`). May import only `stack.store.package`.
"""

from stack.store.package import Package
from stack.store.packages import (
    alertmanager,
    blackbox_exporter,
    busybox,
    chromium,
    compose,
    glibc,
    grafana,
    loki,
    nginx,
    node_exporter,
    postgres_exporter,
    postgresql,
    prometheus,
    promtail,
    python,
    victoria,
    viewer,
)

PACKAGES: tuple[Package, ...] = (
    glibc.PACKAGE,
    prometheus.PACKAGE,
    alertmanager.PACKAGE,
    node_exporter.PACKAGE,
    postgres_exporter.PACKAGE,
    blackbox_exporter.PACKAGE,
    postgresql.PACKAGE,
    nginx.PACKAGE,
    loki.PACKAGE,
    promtail.PACKAGE,
    grafana.PACKAGE,
    viewer.PACKAGE,
    chromium.PACKAGE,
    python.PACKAGE,
    busybox.PACKAGE,
    compose.PACKAGE,
    victoria.PACKAGE,
)
