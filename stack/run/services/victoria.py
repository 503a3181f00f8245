"""VictoriaMetrics: the lab's own example of a receiver of remote write, for instances that ask for
one.

Flags: docs.victoriametrics.com/single-server-victoriametrics, "List of command-line flags".
"""

from stack.loopback import BEHIND
from stack.run import certificates, guard, probes
from stack.run.service import Layout, Service

NAME = "victoria"
PORT = 8428

_KEYS = (
    "deleteAuthKey", "flagsAuthKey", "forceMergeAuthKey", "pprofAuthKey", "reloadAuthKey",
    "search.resetCacheAuthKey", "snapshotAuthKey",
)  # fmt: skip
"""What changes something is asked by GET as well, which a page of another site can send: nobody who
comes through nginx knows these."""

_MEMORY_PERCENT = 20
"""Of the machine's, for its caches; its default is 60, for a machine of its own."""

_RETENTION = "15d"
"""As long as Prometheus keeps what it has."""


def command(layout: Layout) -> list[str]:
    password = f"file://{guard.password_file(layout)}"
    tls: list[str] = []
    if layout.profile.is_production:
        certificate, key = certificates.behind(layout)
        tls = ["-tls", f"-tlsCertFile={certificate}", f"-tlsKeyFile={key}"]
    return [
        layout.program("victoria", "victoria-metrics"),
        f"-storageDataPath={layout.data(NAME)}",
        f"-httpListenAddr={BEHIND}:{layout.port(NAME)}",
        f"-httpAuth.username={guard.USER}",
        f"-httpAuth.password={password}",
        *(f"-{key}={password}" for key in _KEYS),
        *tls,
        f"-memory.allowedPercent={_MEMORY_PERCENT}",
        f"-retentionPeriod={_RETENTION}",
        # The last half minute is not kept from whoever asks: a rule wants to know now.
        "-search.latencyOffset=1s",
    ]


SERVICE = Service(
    name=NAME,
    about="keeps what Prometheus writes elsewhere",
    ports={"http": PORT},
    guarded=True,
    package="victoria",
    command=command,
    health=("/health",),
    ready=probes.http(NAME, "/health", contains="OK"),
    after=("nginx",),
)
