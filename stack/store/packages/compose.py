"""Compose: renders and starts the Compose files, the same on every machine.

2.24 is the first that knows `!reset` and `!override`. Only `up` and `down` need a Docker daemon.
"""

from stack.store.package import Package, Program

PACKAGE = Package(
    name="compose",
    debs=("docker-compose",),
    needs=("glibc",),
    keep=("usr/libexec/docker/cli-plugins/docker-compose",),
    programs=(
        Program(name="docker-compose", file="usr/libexec/docker/cli-plugins/docker-compose"),
    ),
    on_demand=True,
)
