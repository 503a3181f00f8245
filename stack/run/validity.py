"""What the programs say of their configuration, before anything is started or stopped for it.

Each service that has one asks its own program's checker, or the lab's own reader, about the files
that people edit, since these are what a message must name, and then about what became of them.
"""

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import yaml

from stack import yamltext
from stack.errors import BadInput, HostCannot
from stack.run.choice import instead_of
from stack.run.service import Check, Layout, Service
from stack.store import disk
from stack.yamltext import load

_TIMEOUT_S = 60.0
_SHOWN = 5
"""Problems that are shown at once; `doit check` shows all."""

_CURE = "Fix it and try again: nothing was started or stopped. `doit check` shows all problems."

_RULE = re.compile(
    r'^(?P<file>/.+?): (?:(?P<line>\d+):\d+: )?group "(?P<group>[^"]*)", rule (?P<nth>\d+), '
    r"(?P<said>.+)$",
    re.MULTILINE,
)
_FIELD = re.compile(r"line (\d+): (.+?)(?: in type .*)?$", re.MULTILINE)
_TEMPLATE = re.compile(r"template: ([^:]+\.tmpl):(\d+)(?::\d+)?: (.+)")
_NAMED = re.compile(r"[`\"]([^`\"]+)[`\"]")
_NOISE = re.compile(
    r"Checking '?/\S+|SUCCESS.*|FAILED:|amtool: error: failed to validate.*|parsing YAML file \S+:"
)
_NGINX = re.compile(
    r"\[emerg\] (?:\d+#\d+: )?(?P<said>.+) in (?P<file>/\S+):(?P<line>\d+)$", re.MULTILINE
)
_TEXT = re.compile(r'\b(annotation|label) "([^"]+)"')


def check(layout: Layout, services: Mapping[str, Service], files: Mapping[str, str]) -> None:
    """Raise BadInput, with file and line, for configuration with which a service would not run;
    HostCannot where a program that should say so does not run itself.

    `files` are the rendered ones, by service and path.
    """
    with disk.scratch("lab-check-") as made:
        for path, text in files.items():
            rendered = made / path
            rendered.parent.mkdir(parents=True, exist_ok=True)
            rendered.write_text(text)
        _ask({name: s.check for name, s in services.items() if s.check}, layout, made)


def check_sources(layout: Layout, services: Mapping[str, Service]) -> None:
    """As `check`, of nothing but the files that people edit: also where they cannot be rendered."""
    _ask({name: s.check for name, s in services.items() if s.check}, layout, None)


def _ask(checks: Mapping[str, Check], layout: Layout, rendered: Path | None) -> None:
    def one(name: str) -> BadInput | None:
        try:
            checks[name](layout, rendered / name if rendered else None)
        except BadInput as error:
            return error
        except HostCannot as error:
            cure = f"{error.cure} {instead_of(name, layout.packages)}".rstrip()
            raise HostCannot(error.what, cure=cure) from None
        return None

    with ThreadPoolExecutor(len(checks)) as pool:
        found = [error for error in pool.map(one, checks) if error]
    if found:
        raise BadInput("\n".join(error.what for error in found), cure=found[0].cure or _CURE)


def of_program(file: Path, arguments: list[str]) -> None:
    """Raise BadInput for what a program that checks `file` says, unless it is content; HostCannot
    for a program that says nothing."""
    load(file)  # names the line of what is not YAML
    if words := _said(arguments):
        raise _bad([where + what for where, what in _problems(file, words)])


def _said(arguments: list[str]) -> str:
    """What a checker complains of; "" when it is content. Raises HostCannot for one that fails
    without a word."""
    try:
        done = subprocess.run(
            arguments,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise _mute(arguments, f"did not end within {_TIMEOUT_S:g} s") from None
    except OSError as error:
        raise _mute(arguments, f"cannot be run: {error.strerror}") from None
    words = f"{done.stdout}\n{done.stderr}"
    if done.returncode < 0:
        raise _mute(arguments, f"was ended by {signal.Signals(-done.returncode).name}")
    if done.returncode and not words.strip():
        raise _mute(arguments, f"ended with {done.returncode} and said nothing")
    return words if done.returncode else ""


def of_nginx(source: Path, trial: Path, arguments: list[str]) -> None:
    """Raise BadInput for what nginx says of the files of `source`, which lie in `trial`, by file
    and line. HostCannot as `of_program`."""
    words = _said(arguments).replace(str(trial), str(source))
    problems = [
        f"{match['file']}:{match['line']}: {match['said']}." for match in _NGINX.finditer(words)
    ]
    if words:
        raise _bad(problems or [f"{source}: {words.strip()}."])


def _mute(arguments: list[str], what: str) -> HostCannot:
    return HostCannot(
        f"`{Path(arguments[0]).name}` {what}, asked whether its configuration is good.",
        cure=f"Try it: {shlex.join(arguments)}. Nothing was started or stopped.",
    )


@contextmanager
def of_reader(source: Path, read: Path | None = None) -> Iterator[None]:
    """Add the line to a BadInput of one of the lab's own readers, which reads `source` or, if
    given, what became of it."""
    load(source)  # names the line of what is not YAML
    try:
        yield
    except BadInput as error:
        words = error.what
        for path in (read or source, source):
            words = re.sub(rf"`?{re.escape(str(path))}`?[:,] ", "", words)
        raise BadInput(_where(source, words) + words, cure=error.cure or _CURE) from None


def with_line(error: BadInput) -> BadInput:
    """The same with the line of what it names, if it begins with a file and no line."""
    match = re.match(r"(/\S+\.ya?ml): (.*)", error.what, re.DOTALL)
    if not match:
        return error
    return BadInput(_where(Path(match[1]), match[2]) + match[2], cure=error.cure or _CURE)


def _bad(problems: list[str]) -> BadInput:
    more = f"\n… and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return BadInput("\n".join(problems[:_SHOWN]) + more, cure=_CURE)


def _problems(file: Path, words: str) -> list[tuple[str, str]]:
    """Where each is, and what."""
    if rules := list(_RULE.finditer(words)):
        return [(f"{m['file']}:{_rule_line(m)}: ", f"{m['said']}.") for m in rules]
    if template := _TEMPLATE.search(words):
        known = [at for at in file.parent.rglob("*.tmpl") if at.name == template[1]]
        return [(f"{(known or [file])[0]}:{template[2]}: ", f"{template[3]}.")]
    # Of a program that logs, what it says is in a field of its last line.
    plain = words.encode().decode("unicode_escape") if "\\n" in words else words
    if fields := _FIELD.findall(plain):
        return [(f"{file}:{number}: ", what.rstrip('"') + ".") for number, what in fields]
    lines = [_NOISE.sub("", line.replace(f"{file}: ", "")).strip() for line in words.splitlines()]
    said = "; ".join([line for line in lines if line][-3:]).rstrip(".")
    return [(_where(file, said), f"{said}.")]


def _rule_line(match: re.Match[str]) -> int:
    """Promtool's, or of the annotation or label that it names, or where the rule begins."""
    text = _TEXT.search(match["said"])
    if match["line"] and not text:
        return int(match["line"])
    root = yamltext.compose(Path(match["file"]).read_text())
    inside = f".{text[1]}s.{text[2]}" if text else ""
    node = _at(root, f"groups.{match['group']}.rules[{int(match['nth']) - 1}]{inside}")
    return node.start_mark.line + 1 if node else int(match["line"] or 1)


def _where(file: Path, words: str) -> str:
    """`FILE:LINE: ` of what the words name, a key with its path or a value."""
    root = yamltext.compose(file.read_text())
    names = _NAMED.findall(words)
    keys = [node for name in names if (node := _at(root, name))]
    # The longest says most: an alert rather than its group, an address rather than its host.
    values = [node for name in sorted(names, key=len, reverse=True) if (node := _value(root, name))]
    for node in (*keys, *values):
        # What the words end with may be a key below what they name before.
        after = node.start_mark.line
        below = [key for key in _keys(root, names[-1]) if key.start_mark.line >= after]
        found = min(below, key=lambda key: key.start_mark.line) if not keys and below else node
        return f"{file}:{found.start_mark.line + 1}: "
    return f"{file}: "


def _keys(node: yaml.Node | None, name: str) -> Iterator[yaml.Node]:
    """All keys of that name below the node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                yield key
            yield from _keys(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _keys(value, name)


def _at(node: yaml.Node | None, path: str) -> yaml.Node | None:
    """The key at a path such as `a.b[0].c`, or the last on the way that is there; None if not even
    the first is. An entry of a list may be called by its `name`."""
    found = None
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == step), None)
            if pair is None:
                break
            found, node = pair
        elif isinstance(node, yaml.SequenceNode):
            named = [one for one in node.value if _value(one, step, depth=1)]
            index = int(step) if step.isdecimal() else -1
            if not named and not 0 <= index < len(node.value):
                break
            found = node = named[0] if named else node.value[index]
        else:
            break
    return found


def _value(node: yaml.Node | None, text: str, depth: int = 99) -> yaml.Node | None:
    """The first value below the node that is this text."""
    if isinstance(node, yaml.ScalarNode):
        return node if node.value == text else None
    below: list[yaml.Node] = []
    if depth and isinstance(node, yaml.MappingNode):
        below = [value for _, value in node.value]
    elif depth and isinstance(node, yaml.SequenceNode):
        below = list(node.value)
    return next((found for one in below if (found := _value(one, text, depth - 1))), None)
