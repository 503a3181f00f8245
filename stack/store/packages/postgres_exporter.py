"""postgres_exporter: the metrics of a PostgreSQL server."""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="postgres_exporter",
    debs=("prometheus-postgres-exporter",),
    needs=("glibc",),
    keep=("usr/bin/*",),
    programs=(Program(name="postgres_exporter", file="usr/bin/prometheus-postgres-exporter"),),
)
