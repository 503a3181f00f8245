"""Promtail, from its last upstream release line, 3.6: Debian has no package of it."""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="promtail",
    zips=("promtail",),
    optional=True,
    needs=("glibc",),
    programs=(Program(name="promtail", file="promtail-linux-{system}"),),
)
