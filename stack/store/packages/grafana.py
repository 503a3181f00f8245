"""Grafana OSS, from its upstream release: Debian has no package of it."""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="grafana",
    tars=("grafana",),
    optional=True,
    needs=("glibc",),
    # What browsers load only to debug, and programs that do no more than call `grafana`. Not of the
    # plugins in data/plugins-bundled: these are signed, and not loaded where a file is missing.
    drop=("public/*.map", "docs/*", "bin/grafana-cli", "bin/grafana-server"),
    programs=(Program(name="grafana", file="bin/grafana"),),
)
