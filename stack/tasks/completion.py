"""`doit completion`: what a shell needs to complete tasks, options and names."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from stack.errors import BadInput
from stack.tasks.declaration import Option, Task
from stack.tasks.dodofile import declared

BASH = """\
_doit() {
    local IFS=$'\\n'
    COMPREPLY=($(doit completion bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _doit doit
"""

ZSH = """\
#compdef doit
_doit() {
    local -a found
    found=("${(@f)$(doit completion zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n $found ]]; then _describe doit found; else _files; fi
}
compdef _doit doit
"""

FISH = """\
function __doit_names
    type -q doit; and doit completion fish -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end
complete -c doit -f -a '(__doit_names)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def shells() -> list[str]:
    return list(SCRIPTS)


def completion(words: Sequence[str]) -> None:
    """Print the script for a shell; or, with further words, what may stand for the last of them.

    Raises BadInput for another shell. Nothing else is ever said, since a person is typing.
    """
    shell, *typed = words or [""]
    if shell not in SCRIPTS:
        raise BadInput(
            f"there is no completion for `{shell}`." if shell else "name a shell.",
            cure=f"There is one for {', '.join(SCRIPTS)}: `doit completion bash`.",
        )
    if not typed:
        print(SCRIPTS[shell], end="")
        return
    found: Mapping[str, str] = {}
    with suppress(Exception):
        found = dict(candidates(typed, declared()[0]))
    for name, what in found.items():
        print(_line(shell, name, what))


def _line(shell: str, name: str, what: str) -> str:
    if shell == "fish":
        return f"{name}\t{what}"
    if shell == "zsh":
        return ":".join(filter(None, [name.replace(":", r"\:"), what]))
    return name


def candidates(typed: Sequence[str], tasks: Mapping[str, Task]) -> Iterator[tuple[str, str]]:
    """What may stand for the last of the words, which is typed in part, and what it is."""
    *before, part = typed
    for name, what in _expected(before, part, tasks):
        if name.lower().startswith(part.lower()):
            yield name, what


def _expected(
    before: Sequence[str], part: str, tasks: Mapping[str, Task]
) -> Iterator[tuple[str, str]]:
    if not before:
        yield from ((name, task.summary) for name, task in tasks.items())
        return
    task = tasks[before[0]]
    by_name = {f"--{one.name}": one for one in task.options}
    last = by_name.get(before[-1])
    if last and last.kind is not bool:
        yield from ((name, "") for name in _values(last))
    elif part.startswith("-"):
        yield from ((name, one.text) for name, one in by_name.items())
        yield "--help", "show what the task takes"
    elif task.plain and task.plain.names:
        yield from ((name, "") for name in _names(task.plain.names))


def _values(option: Option) -> Sequence[str]:
    return option.choices or (_names(option.names) if option.names else ())


def _names(source: str) -> Sequence[str]:
    module, name = source.split(":")
    found: Sequence[str] = getattr(importlib.import_module(module), name)()
    return found
