"""`doit verify-alerts`: a proof of alerts and of the routing."""

from collections.abc import Callable, Sequence
from pathlib import Path

from scenarios.proof import run
from scenarios.proof.reports import KEPT
from scenarios.proof.result import Proof
from scenarios.routing import run as routing
from stack import paths
from stack.paths import CONFIG_ROOT


def verify_alerts(
    only: Sequence[str] = (),
    speed: float = 60.0,
    keep: bool = False,
    history: str | Path = "",
    keep_reports: int = KEPT,
    attest: bool = False,
    attest_key: str = "",
    changed: bool = False,
    *,
    config_root: Path = CONFIG_ROOT,
    reports: Path | None = None,
    instances: int = 0,
) -> int:
    """Prove the alerts and routes called `only`, all when it is empty; 0 when all are proven. With
    `changed`, those alone whose inputs have changed since they were proven.

    With `attest` an attestation is written as well, signed where `attest_key` names a private key.

    Raises as `scenarios.proof.run.verify_alerts`.
    """
    return run.verify_alerts(
        only,
        speed=speed,
        keep=keep,
        routing=routing,
        config_root=config_root,
        reports=reports,
        instances=instances,
        history=paths.given(str(history)) if history else None,
        keep_reports=keep_reports,
        attest=_attester(config_root, attest_key) if attest or attest_key else None,
        changed=changed,
    )


def _attester(config_root: Path, key: str) -> Callable[[Proof], Path]:
    # Its formats take a fifth of a second to import, and hardly any proof needs them.
    from scenarios.proof.attestation import attester

    return attester(config_root, paths.given(key) if key else None)
