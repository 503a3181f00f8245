"""What a part of a YAML file says, whatever it looks like, and one hash of that."""

import hashlib
import json
from collections.abc import Iterable

import yaml

from stack.check.yamlfile import pairs, text


def canonical(node: yaml.Node | None) -> object:
    """What a node says, without comments, layout, order of keys and where it was merged from."""
    if isinstance(node, yaml.MappingNode):
        own: dict[str, list[object]] = {}
        merged: dict[str, list[object]] = {}
        for key, value in node.value:
            if text(key) == "<<":
                several = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for one in several:
                    for name, said in _pairs(canonical(one)):
                        merged.setdefault(name, said)
            else:
                own.setdefault(text(key), []).append(canonical(value))
        return {"keys": {**merged, **own}}
    if isinstance(node, yaml.SequenceNode):
        return [canonical(one) for one in node.value]
    return None if node is None else {"is": node.tag, "text": text(node)}


def _pairs(found: object) -> Iterable[tuple[str, list[object]]]:
    keys = found.get("keys") if isinstance(found, dict) else None
    return keys.items() if isinstance(keys, dict) else ()


def without(node: yaml.Node | None, key: str) -> object:
    """The same of a mapping, without one of its keys."""
    rest = [[name, canonical(value)] for name, value in pairs(node) if name != key]
    return sorted(rest, key=lambda pair: str(pair[0]))


def sha256(said: object) -> str:
    """Of a text, or of what `canonical` gives."""
    content = said if isinstance(said, str) else json.dumps(said, sort_keys=True)
    return hashlib.sha256(content.encode(errors="surrogateescape")).hexdigest()
