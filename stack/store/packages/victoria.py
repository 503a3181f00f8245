"""VictoriaMetrics, single-node: keeps what a Prometheus writes elsewhere.

On demand: an instance runs it only if that was asked for.
"""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="victoria",
    debs=("victoria-metrics", "libzstd1"),
    needs=("glibc",),
    keep=("usr/bin/victoria-metrics", "usr/lib/{triplet}/*.so*"),
    on_demand=True,
    programs=(Program(name="victoria-metrics", file="usr/bin/victoria-metrics"),),
)
