"""VictoriaMetrics, single-node: keeps what a Prometheus writes elsewhere.

On demand: an instance runs it only if that was asked for.
"""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="victoria",
    debs=("victoria-metrics",),
    needs=("glibc",),
    keep=("usr/bin/victoria-metrics",),
    on_demand=True,
    programs=(Program(name="victoria-metrics", file="usr/bin/victoria-metrics"),),
)
