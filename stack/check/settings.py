"""The files that one program alone reads, as it reads them, with the line of each fault.

promtail-config.yml and loki-config.yml are read by the lab's own shipper and log store, and
blackbox.yml by blackbox_exporter (`programs`), which takes any name for a prober.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml

from stack.check.configuration import Configuration, kind_of
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, entries, get, line, pairs, text, truth
from stack.durations import seconds
from stack.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How a program reads its file. Both raise BadInput that names the file and the key."""

    read: Callable[[Path], object]
    means: Callable[[Path], object] = lambda path: None
    """Whether a file that is read does its work; asked where nothing else is wrong with it."""


Readers = Mapping[str, Reader]
"""File below the root → how it is read."""

PROBERS = ("http", "tcp", "dns", "icmp", "grpc", "unix")

_KEY = re.compile(r"`([\w.\[\]-]+)`")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def check(configuration: Configuration, readers: Readers) -> Iterator[Problem]:
    for name, reader in readers.items():
        yield from _asked(configuration, name, reader.read)
    if file := configuration.blackbox:
        yield from _blackbox(configuration, file)


def meant(configuration: Configuration, readers: Readers) -> Iterator[Problem]:
    """What files that their programs take do not do."""
    for name, reader in readers.items():
        if kind_of(Path(name)) not in configuration.gaps:
            yield from _asked(configuration, name, reader.means)


def _asked(
    configuration: Configuration, name: str, question: Callable[[Path], object]
) -> Iterator[Problem]:
    path = configuration.root / name
    if (file := configuration.files.get(path)) is None:
        return
    try:
        question(path)
    except BadInput as error:
        yield _refused(file, error)


def _refused(file: ConfigFile, error: BadInput) -> Problem:
    what = error.what
    for shown in (f"`{file.path}`: ", f"{file.path}: "):
        what = what.removeprefix(shown)
    if at := re.match(rf"{re.escape(str(file.path))}:(\d+):\d+: ", what):
        what, number = what[at.end() :], int(at[1])
        return Problem(check=f"{file.path.parent.name}/config", path=file.path, line=number,
                       what=what, cure=error.cure or "Fix this line.")  # fmt: skip
    key = _KEY.search(what)
    written = [one for one, _ in pairs(file.root)]
    section = re.split(r"[.\[]", key[1])[0] if key else ""
    meant = get_close_matches(section, written, n=1, cutoff=0.85)
    if meant and section not in written:
        return Problem(
            check=f"{file.path.parent.name}/config",
            path=file.path,
            line=line_of(file.root, meant[0]),
            what=f"`{meant[0]}` is not known.",
            cure=f"Did you mean `{section}`?",
        )
    return Problem(
        check=f"{file.path.parent.name}/config",
        path=file.path,
        line=line_of(file.root, key[1]) if key else None,
        what=what,
        cure=error.cure or "Fix it; the program would not start with this file.",
    )


def line_of(root: yaml.Node | None, key: str) -> int | None:
    """The line of the deepest node that is there on the way to `a.b[0].c`."""
    found = None
    for name, index in _STEP.findall(key):
        if index:
            listed = entries(root)
            root = listed[int(index)] if int(index) < len(listed) else None
            found = line(root) if root else found
        else:
            for written, value in root.value if isinstance(root, yaml.MappingNode) else ():
                if str(written.value) == name:
                    found, root = line(written), value
                    break
            else:
                break
    return found


_QUICKEST_S = 0.1
"""No service promises to answer a probe within less."""


def _never(module: yaml.Node) -> Iterator[tuple[yaml.Node, str]]:
    """What no service of the lab answers to, however well it is."""
    timeout, http = get(module, "timeout"), get(module, "http")
    with suppress(BadInput):
        if timeout and 0 < seconds(text(timeout)) < _QUICKEST_S:
            yield timeout, f"waits for {text(timeout)}"
    for key, wanted in (("valid_status_codes", "200"), ("valid_http_versions", "HTTP/1.1")):
        listed = entries(http, key)
        known = [one for one in map(text, listed) if one[-1:].isdecimal()]  # others are refused
        if known and wanted not in known:
            yield listed[0], f"does not take {wanted} (`{key}`)"
    method = get(http, "method")
    if method and text(method).upper() not in ("", "GET", "HEAD"):
        yield method, f"asks with {text(method)}"
    if (node := get(http, "proxy_url")) and text(node):
        yield node, "has `proxy_url`"
    protocol, other = get(http, "preferred_ip_protocol"), get(http, "ip_protocol_fallback")
    if protocol and text(protocol) == "ip6" and truth(other) is False:
        yield protocol, "takes nothing but IPv6"


def _blackbox(configuration: Configuration, file: ConfigFile) -> Iterator[Problem]:
    modules = dict(pairs(get(file.root, "modules")))
    for name, module in modules.items():
        prober = get(module, "prober")
        if text(prober) not in PROBERS:
            yield Problem(
                check="blackbox/prober", path=file.path, line=line(prober or module),
                what=f"module `{name}` has the prober `{text(prober)}`, which does not exist.",
                cure=nearest(text(prober), PROBERS),
            )  # fmt: skip
        settings = [key for key, _ in pairs(module) if key in PROBERS and key != text(prober)]
        for key in settings:
            yield Problem(
                check="blackbox/prober", path=file.path, line=line(get(module, key) or module),
                what=f"module `{name}` has settings for `{key}`, but its prober is "
                f"`{text(prober)}`.",
                cure="Remove them, or change the prober.",
            )  # fmt: skip
        for node, what in _never(module):
            yield Problem(
                check="blackbox/never", path=file.path, line=line(node),
                what=f"module `{name}` {what}: each of its probes fails.",
                cure="The lab's services answer GET by HTTP/1.1, on IPv4, with 200.",
            )  # fmt: skip
    main = configuration.prometheus
    for job in entries(main.root if main else None, "scrape_configs"):
        for node in entries(job, "params", "module"):
            if main and text(get(job, "metrics_path")) == "/probe" and text(node) not in modules:
                yield Problem(
                    check="blackbox/module", path=main.path, line=line(node),
                    what=f"job `{text(get(job, 'job_name'))}` asks for module `{text(node)}`, "
                    "which blackbox.yml does not have.",
                    cure=nearest(text(node), modules),
                )  # fmt: skip
