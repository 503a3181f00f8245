"""blackbox_exporter: asks a service from outside whether it works."""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="blackbox_exporter",
    debs=("prometheus-blackbox-exporter",),
    needs=("glibc",),
    keep=("usr/bin/*",),
    programs=(Program(name="blackbox_exporter", file="usr/bin/prometheus-blackbox-exporter"),),
)
