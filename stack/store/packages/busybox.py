"""busybox: with what the health check of a container asks, where its own programs cannot."""

from stack.store.package import Package

PACKAGE = Package(
    name="busybox", debs=("busybox-static",), keep=("usr/bin/busybox",), on_demand=True
)
