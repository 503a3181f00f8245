"""Readiness probes: each asks a service in its own protocol."""

import subprocess

from stack.loopback import HOST, urlopen
from stack.run.service import Layout, Probe

_TIMEOUT_S = 1.0


def http(service: str, path: str, *, port: str = "", contains: str = "") -> Probe:
    """Ready when `path` answers 200 and its body contains the text."""

    def probe(layout: Layout) -> str | None:
        import urllib.error  # whoever only describes services asks none of them
        from http.client import HTTPException

        url = layout.url(service, port) + path
        try:
            with urlopen(url, timeout_s=_TIMEOUT_S) as answer:
                body = answer.read().decode(errors="replace") if contains else ""
        except urllib.error.HTTPError as error:
            return f"{url} answers {error.code}"
        except (OSError, HTTPException) as error:
            return f"{url}: {getattr(error, 'reason', error)}"
        return None if contains in body else f"{url} does not yet say `{contains}`"

    return probe


def https(service: str, path: str) -> Probe:
    """Ready when `path` answers 200 over TLS, whatever the certificate: an alert tells of that."""

    def probe(layout: Layout) -> str | None:
        import http.client
        import ssl

        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            HOST, layout.port(service), timeout=_TIMEOUT_S, context=context
        )
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"{HOST}:{layout.port(service)}: {error}"
        finally:
            connection.close()
        return None if status == http.HTTPStatus.OK else f"{path} answers {status}"

    return probe


def succeeds(command: list[str]) -> str | None:
    """Ready when the command ends with 0."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return None if done.returncode == 0 else (done.stdout + done.stderr).strip()
