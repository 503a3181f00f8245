"""Where else an instance's Prometheus writes what it scrapes: beyond one machine.

    doit up --remote-write victoria
    doit up --remote-write https://mimir.example/api/v1/push --remote-write-settings mimir.yml

What stands in such a file is what Prometheus takes under `remote_write`, beside the address:
prometheus.io/docs/prometheus/latest/configuration/configuration/#remote_write.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stack.errors import BadInput

VICTORIA, NOBODY = "victoria", "none"

_ADDRESS = "http://victoria:8428/api/v1/write"

_FILE = "_file"
"""How keys end whose value is a file."""

_SECRETS = ("password", "credentials", "bearer_token", "client_secret", "secret_key", "key")
"""Keys whose value is a secret; each has a twin that names a file."""

_KEYS = (
    "authorization", "azuread", "basic_auth", "enable_http2", "follow_redirects", "headers",
    "metadata_config", "no_proxy", "oauth2", "proxy_connect_header", "proxy_from_environment",
    "proxy_url", "queue_config", "remote_timeout", "send_exemplars", "send_native_histograms",
    "sigv4", "tls_config", "write_relabel_configs",
)  # fmt: skip
"""What Prometheus 2.53 takes there, but for the address and the name."""


@dataclass(frozen=True, kw_only=True)
class RemoteWrite:
    """What was said of an instance when it came up."""

    to: str = ""
    """`victoria`, a service of the instance, or the address of a receiver; empty for nobody."""
    settings: str = ""
    """File with what its receiver wants to know: who writes, headers, TLS."""

    @property
    def services(self) -> tuple[str, ...]:
        """Services that an instance has because of it."""
        return (VICTORIA,) if self.to == VICTORIA else ()

    def entries(self) -> list[dict[str, Any]]:
        """What `remote_write` of prometheus.yml is. Raises BadInput for a file that cannot be
        used."""
        if not self.to:
            return []
        url = _ADDRESS if self.to == VICTORIA else self.to
        return [{"name": "remote", "url": url, **(_read(Path(self.settings)) if self.settings
                                                  else {})}]  # fmt: skip


def asked(to: str, settings: str) -> RemoteWrite | None:
    """What is meant by these words; None for none of them. Raises BadInput."""
    if not to and not settings:
        return None
    if to in ("", NOBODY, VICTORIA):
        if settings:
            raise BadInput(
                "--remote-write-settings are for a receiver of your own.",
                cure="Name its address: --remote-write URL.",
            )
        return RemoteWrite(to="" if to == NOBODY else to)
    _check_address(to)
    found = RemoteWrite(to=to, settings=settings)
    found.entries()
    return found


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.username is not None or parts.password is not None:
        raise BadInput(
            "--remote-write has a user in its address: whoever lists processes can read it.",
            cure="Write `basic_auth` with a `password_file` into a file, and name that with"
            " --remote-write-settings.",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise BadInput(
            f"--remote-write is `{url}`, which is not the address of a receiver.",
            cure=f"Write it as https://mimir.example/api/v1/push; `{VICTORIA}` is the lab's own,"
            f" `{NOBODY}` is nobody.",
        )


def _read(file: Path) -> dict[str, Any]:
    """The settings, with every file in them by its whole path. Raises BadInput."""
    import yaml  # most instances have none

    from stack import yamltext
    from stack.names import choose

    try:
        found = yamltext.read(file.read_text())
    except OSError as error:
        raise BadInput(f"--remote-write-settings: `{file}`: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        raise BadInput(f"--remote-write-settings: `{file}` is not YAML: {said}") from None
    if not isinstance(found, dict):
        raise BadInput(
            f"--remote-write-settings: `{file}` is not a mapping.",
            cure="Write what Prometheus takes under `remote_write`, such as `basic_auth`.",
        )
    choose([str(key) for key in found], _KEYS, what=f"setting in `{file}`")
    for path, key, value in _texts(found):
        if key in _SECRETS:
            raise BadInput(
                f"{file}: `{path}` is a secret, which would be copied into the instance's"
                " configuration.",
                cure=f"Write it into a file of its own, and here `{key}{_FILE}`.",
            )
        if key.endswith(_FILE) and not (file.parent / value).is_file():
            raise BadInput(f"{file}: `{path}`: `{value}` is not a file that is there.")
    whole: dict[str, Any] = _placed(found, file.parent)
    return whole


def _texts(node: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Path, key and value of everything that is said in it."""
    if isinstance(node, dict):
        for key, value in node.items():
            where = f"{path}.{key}".lstrip(".")
            if isinstance(value, dict | list):
                yield from _texts(value, where)
            else:
                yield where, str(key), str(value)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _texts(value, f"{path}[{number}]")


def _placed(node: Any, folder: Path) -> Any:
    if isinstance(node, dict):
        return {key: str((folder / value).absolute()) if str(key).endswith(_FILE)
                and isinstance(value, str) else _placed(value, folder)
                for key, value in node.items()}  # fmt: skip
    return [_placed(one, folder) for one in node] if isinstance(node, list) else node
