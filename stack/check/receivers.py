"""Whom each receiver of alertmanager.yml notifies, by the names of the inbox, which hears them.

Every integration of Alertmanager 0.28 is known; what the inbox does not stand in for is heard by
nobody here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import getaddresses

import yaml

from stack.check.problem import Problem
from stack.check.yamlfile import ConfigFile, entries, get, line, text, truth
from stack.durations import seconds
from stack.errors import BadInput

INTEGRATIONS = (
    "discord_configs", "email_configs", "jira_configs", "msteams_configs", "msteamsv2_configs",
    "opsgenie_configs", "pagerduty_configs", "pushover_configs", "rocketchat_configs",
    "slack_configs", "sns_configs", "telegram_configs", "victorops_configs", "webex_configs",
    "webhook_configs", "wechat_configs",
)  # fmt: skip
HEARD = ("email_configs", "pagerduty_configs", "slack_configs", "webhook_configs")
"""Those that the inbox stands in for; of webhooks, heartbeats alone."""

_WEB, _SMTP = "inbox:8025", "inbox:1025"
_SLACK_FILE = "/run/secrets/slack_api_url"
_KEY_FILE = "/run/secrets/pagerduty_routing_key"
_KEYS = ("routing_key_file", "routing_key", "service_key_file", "service_key")
_SERVICE = "on-call"
"""Whose key that is."""

_HEARTBEAT = re.compile(rf"http://{_WEB}/heartbeat/(?P<name>[^/?#]+)")
_HOST = re.compile(r"(?:[a-z]+://)?(?:[^@/]*@)?(?P<host>[^:/?#]*)(?::\d+)?(?:[/?#].*)?", re.DOTALL)
_HOW = "Notify by Slack, PagerDuty, email or heartbeat, which the inbox stands in for"

Destination = tuple[str, str]
"""Channel and destination, as the inbox calls them."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """One receiver, and each destination with the node that names it."""

    name: str
    node: yaml.Node
    destinations: tuple[tuple[Destination, yaml.Node], ...]


def read(file: ConfigFile) -> list[Receiver]:
    """In the order of the file."""
    return [
        Receiver(
            name=text(get(node, "name")),
            node=node,
            destinations=tuple(_destinations(node)),
        )
        for node in entries(file.root, "receivers")
    ]


def configs(receiver: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """Each entry of each integration."""
    for kind in INTEGRATIONS:
        for config in entries(receiver, kind):
            yield kind, config


def is_heartbeat(config: yaml.Node) -> bool:
    """Whether what it posts is a beat: it would take the end of an alert for one, too."""
    return bool(re.search(r"/heartbeat/", text(get(config, "url"))))


def _destinations(receiver: yaml.Node) -> Iterator[tuple[Destination, yaml.Node]]:
    for kind, config in configs(receiver):
        if kind == "slack_configs":
            channel = get(config, "channel")
            yield ("slack", text(channel)), channel or config
        elif kind == "email_configs":
            for address in _addresses(config):
                yield ("email", address), get(config, "to") or config
        elif kind == "pagerduty_configs":
            yield ("pagerduty", _service(receiver, config)), config
        elif beat := _HEARTBEAT.fullmatch(text(get(config, "url"))):
            yield ("heartbeat", beat["name"]), get(config, "url") or config


def _addresses(config: yaml.Node) -> list[str]:
    """Each recipient of a mail: `to` is a list with commas, with or without names."""
    return [address for _, address in getaddresses([text(get(config, "to"))])]


def _service(receiver: yaml.Node, config: yaml.Node) -> str:
    known = text(get(config, "routing_key_file")) == _KEY_FILE
    return _SERVICE if known else text(get(receiver, "name"))


def check(file: ConfigFile) -> Iterator[Problem]:
    """What nobody here hears, or cannot be read without an alert; what several receivers share is
    told once."""
    alike: dict[tuple[int, str, str], list[str]] = {}
    for receiver in entries(file.root, "receivers"):
        for kind, config in configs(receiver):
            for at, what, cure in _unheard(file, kind, config):
                named = alike.setdefault((line(at), what, cure), [])
                named.append(f"receiver `{text(get(receiver, 'name'))}` ({kind})")
    for (number, what, cure), named in alike.items():
        more = f" So do {len(named) - 1} more receivers." if len(named) > 1 else ""
        yield Problem(
            check="routes/integration",
            path=file.path,
            line=number,
            what=f"{named[0]} {what}{more}",
            cure=cure,
        )


_Found = tuple[yaml.Node, str, str]
"""Where, what and the cure."""


def _unheard(file: ConfigFile, kind: str, config: yaml.Node) -> Iterator[_Found]:
    if kind in HEARD:
        yield from _never(file, kind, config)
    if kind not in HEARD:
        yield config, "is heard by nobody here.", f"{_HOW}, or delete it."
    elif kind == "webhook_configs":
        url = get(config, "url")
        if url and _ours(text(url)) and not _HEARTBEAT.fullmatch(text(url)):
            yield (
                url,
                f"posts to `{text(url)}`, which is heard by nobody here.",
                f"{_HOW} (http://{_WEB}/heartbeat/NAME), or delete it.",
            )
    elif kind == "slack_configs":
        yield from _templated(config, "channel")
        yield from _elsewhere(
            file, config, "api_url", "slack_api_url", f"http://{_WEB}/services/", _SLACK_FILE
        )
    elif kind == "pagerduty_configs":
        yield from _elsewhere(file, config, "url", "pagerduty_url", f"http://{_WEB}/v2/enqueue")
        key = next((one for one in _KEYS if get(config, one)), _KEYS[0])
        if text(get(config, key)) != _KEY_FILE:
            yield (
                get(config, key) or config,
                "has a key that belongs to no service of the inbox.",
                f"Write `routing_key_file: {_KEY_FILE}`, the key of `{_SERVICE}`.",
            )
    elif kind == "email_configs":
        yield from _templated(config, "to")
        yield from _elsewhere(file, config, "smarthost", "smtp_smarthost", _SMTP)
        to = get(config, "to")
        if "{{" not in text(to):
            for address in _addresses(config):
                if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
                    yield (
                        to or config,
                        f"cannot send to `{text(to)}`: `{address}` is not an address.",
                        "Write addresses with commas between them.",
                    )


_QUICKEST_S = 1.0
"""The inbox answers within that, unless a fault of the lab makes it slow."""


def _never(file: ConfigFile, kind: str, config: yaml.Node) -> Iterator[_Found]:
    """What the inbox is there for and never gets: a proxy, too little time, a way it does not
    speak."""
    shared = get(file.root, "global")
    proxy = get(config, "http_config") or get(shared, "http_config")
    node = get(proxy, "proxy_url")
    if node and text(node) and kind != "email_configs":
        yield node, f"sends by way of the proxy `{text(node)}`.", "Remove it: the inbox is here."
    if (node := get(config, "timeout")) and 0 < _seconds(node) < _QUICKEST_S:
        yield node, f"waits {text(node)} for an answer.", f"Give it {_QUICKEST_S:g}s or more."
    if kind == "webhook_configs" and (node := get(config, "url_file")):
        yield node, "has its address in a file, which no instance has.", "Write it as `url`."
    if kind != "email_configs":
        return
    own, ours = get(config, "require_tls"), get(shared, "smtp_require_tls")
    tls = ours if own is None else own
    if tls is None or truth(tls) is not False:
        yield (
            tls or config,
            "sends no mail without TLS, which the inbox does not speak.",
            "Write `smtp_require_tls: false` below `global`.",
        )
    sender = get(config, "from") or get(shared, "smtp_from")
    addresses = [address for _, address in getaddresses([text(sender)])]
    if "{{" not in text(sender) and not (
        len(addresses) == 1 and re.fullmatch(r"[^@\s]+@[^@\s]+", addresses[0])
    ):
        yield sender or config, f"sends from `{text(sender)}`, which is no address.", "Write one."


def _seconds(node: yaml.Node) -> float:
    try:
        return seconds(text(node))
    except BadInput:  # amtool tells
        return 0


def _templated(config: yaml.Node, key: str) -> Iterator[_Found]:
    node = get(config, key)
    if node and "{{" in text(node):
        yield (
            node,
            f"has a template as `{key}`: who is notified cannot be read from it.",
            "Write a receiver for each, and let the routes choose.",
        )


def _elsewhere(
    file: ConfigFile, config: yaml.Node, key: str, shared: str, right: str, right_file: str = ""
) -> Iterator[_Found]:
    """What it posts to lies outside of the lab; an unknown service within is told elsewhere."""
    node = get(config, key)
    by_file = get(config, f"{key}_file")
    if node is None and by_file is None:
        node = get(file.root, "global", shared)
        by_file = get(file.root, "global", f"{shared}_file")
    url = text(node)
    if (node and _ours(url) and not url.startswith(right)) or (
        by_file and text(by_file) != right_file
    ):
        yield (
            node or by_file or config,
            f"sends to `{url or text(by_file)}`, where nobody here hears it.",
            f"Send to {right}{f' ({right_file})' if right_file else ''}, the inbox.",
        )


def _ours(url: str) -> bool:
    """Whether it is for us to say that it is wrong: the inbox, or a host that is not the lab's."""
    found = _HOST.fullmatch(url)
    host = found["host"] if found else ""
    return host == "inbox" or "." in host or not host or "{{" in url
