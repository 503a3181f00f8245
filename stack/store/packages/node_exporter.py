"""node_exporter: the metrics of a host, here of the simulated one."""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="node_exporter",
    debs=("prometheus-node-exporter",),
    needs=("glibc",),
    keep=("usr/bin/*",),
    programs=(Program(name="node_exporter", file="usr/bin/prometheus-node-exporter"),),
)
