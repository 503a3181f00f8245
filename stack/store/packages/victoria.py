"""VictoriaMetrics, single-node: a store that takes what a Prometheus writes elsewhere."""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="victoria",
    debs=("victoria-metrics",),
    needs=("glibc",),
    keep=("usr/bin/victoria-metrics",),
    on_demand=True,
    programs=(Program(name="victoria-metrics", file="usr/bin/victoria-metrics"),),
)
