"""What somebody who takes the stack to a server has to be sure of, and how each point is seen."""

from collections.abc import Mapping

import httpx

from stack.deploy.hardening import asked, network, system, tls, watched
from stack.deploy.hardening.verdict import Ask, Finding, Verdict
from stack.errors import LabError
from stack.run.instance import Instance

POINTS: Mapping[str, Ask] = {
    "other machines reach the front alone": network.open_ports,
    "other users of this machine get nothing": network.strangers,
    "PostgreSQL asks for a password": network.database,
    "TLS 1.2 and 1.3 alone": tls.versions,
    "ciphers with forward secrecy alone": tls.ciphers,
    "the certificate is valid": tls.certificate,
    "nothing without a password": asked.without_password,
    "no default password": asked.default_passwords,
    "passwords are long, and hashed": system.passwords,
    "users do what their role says": asked.roles,
    "browsers are told to take care": asked.headers,
    "nothing runs as root": system.users,
    "folders are closed": system.folders,
    "secrets are in their files alone": system.secrets,
    "requests are in the audit log": watched.audit,
    "intruders are told": watched.alerts,
    "packages are up to date": watched.updates,
    # Last: whoever has asked too often is turned away for a while.
    "the rate is limited": asked.rate,
}


def look(instance: Instance) -> list[Finding]:
    """One or more of each point; one that cannot be asked does not hold."""
    found = []
    for point, ask in POINTS.items():
        try:
            said = list(ask(instance))
        except (OSError, ValueError, KeyError, httpx.HTTPError, LabError) as error:
            said = [(Verdict.FAILS, f"it cannot be asked: {error}")]
        found += [Finding(point=point, verdict=v, evidence=evidence) for v, evidence in said]
    return found
