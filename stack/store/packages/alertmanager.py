"""Alertmanager and amtool. Debian builds it without the web page; the API is complete."""

from stack.store.package import Package, Program, Replacement

PACKAGE = Package(
    name="alertmanager",
    debs=("prometheus-alertmanager",),
    needs=("glibc",),
    keep=("usr/bin/*", "usr/share/prometheus/*"),
    replacements=(
        # Compiled in, and it does not start without the default templates that stand there.
        Replacement(
            file="usr/bin/prometheus-alertmanager",
            old="/usr/share/prometheus/",
            new="/proc/self/cwd////////",
        ),
    ),
    programs=(
        Program(
            name="alertmanager", file="usr/bin/prometheus-alertmanager", cwd="usr/share/prometheus"
        ),
        Program(name="amtool", file="usr/bin/amtool"),
    ),
)
