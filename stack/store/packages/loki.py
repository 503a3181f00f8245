"""Loki, from its upstream release: Debian has no package of it."""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="loki",
    zips=("loki",),
    optional=True,
    needs=("glibc",),
    programs=(Program(name="loki", file="loki-linux-{system}"),),
)
