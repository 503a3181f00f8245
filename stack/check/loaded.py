"""Every file that people edit is read by something: rule and template files by the main file."""

from collections.abc import Iterator
from pathlib import Path

from stack.check import dashboardfiles
from stack.check.configuration import KNOWN, Configuration
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, entries, line, text


def check(configuration: Configuration) -> Iterator[Problem]:
    if file := configuration.prometheus:
        rules = sorted((configuration.root / "prometheus" / "rules").glob("*.yml"))
        yield from _listed(file, "rule_files", rules)
    if file := configuration.alertmanager:
        yield from _listed(file, "templates", configuration.templates)
    for path in configuration.templates:
        yield from _no_text(path)
    found = strays(configuration)
    for path in found:
        yield _stray(configuration, path)
    for file in (*configuration.unit_tests, *configuration.log_tests):
        for one in _listed(file, "rule_files", []):
            # Of a rule file under another name enough is said.
            if not any(f"/{_stem(path)}." in one.what for path in found):
                yield one


def _no_text(path: Path) -> Iterator[Problem]:
    """A template that is not UTF-8; YAML that is not is told where it is parsed."""
    content = path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError as error:
        yield Problem(
            check="templates/syntax",
            path=path,
            line=content[: error.start].count(b"\n") + 1,
            what=f"not UTF-8: byte 0x{content[error.start]:02x}.",
            cure="Save the file as UTF-8; what is sent with it would not be text.",
        )


def strays(configuration: Configuration) -> list[Path]:
    """Files in the folders of the configuration that nothing opens."""
    root, known = configuration.root, set(configuration.files) | set(configuration.templates)
    known |= {problem.path for problem in configuration.problems}
    known |= set((root / "runbooks").glob("*.md")) | set(dashboardfiles.folder(root).glob("*.json"))
    return sorted(
        path
        for folder in KNOWN
        for path in (root / folder).rglob("*")
        if path.is_file() and path not in known and not _private(path.relative_to(root))
    )


def _private(path: Path) -> bool:
    """What an instance keeps beside its files, or an editor does."""
    return any(part.startswith(".") or part in ("secrets", "__pycache__") for part in path.parts)


def _stray(configuration: Configuration, path: Path) -> Problem:
    folder = path.parent.relative_to(configuration.root)
    suffix = {"prometheus/rules": "yml", "prometheus/tests": "yml", "loki/rules": "yml",
              "loki/tests": "yml", "alertmanager/templates": "tmpl", "runbooks": "md",
              "grafana/dashboards": "json"}.get(str(folder), "")  # fmt: skip
    known = KNOWN[path.relative_to(configuration.root).parts[0]]
    meant = [name for name in known if Path(name).stem == _stem(path)]
    what = "nothing reads this file."
    if suffix:
        cure = f"Rename it to `{_stem(path)}.{suffix}`, or delete it."
        if by := _matching(configuration, path):
            what = f"{by} matches this file, but the lab reads only `*.{suffix}` here."
    elif meant and not path.with_name(meant[0]).exists():
        cure = f"Rename it to `{meant[0]}`."
    else:
        cure = f"Delete it. {nearest(path.name, known)}" if known else "Delete it."
    return Problem(check="files/unknown", path=path, what=what, cure=cure)


def _stem(path: Path) -> str:
    """`database` of `database.yml.orig`."""
    return path.name.partition(".")[0]


def _matching(configuration: Configuration, path: Path) -> str:
    """The list whose pattern would have the program load the file; "" if there is none."""
    lists = ((configuration.prometheus, "rule_files"), (configuration.alertmanager, "templates"))
    for file, key in lists:
        for pattern in entries(file.root, key) if file else ():
            if file and text(pattern) and path in file.path.parent.glob(text(pattern)):
                return f"`{key}` of {file.path.name}"
    return ""


def _listed(file: ConfigFile, key: str, files: list[Path]) -> Iterator[Problem]:
    """Patterns of a list `key` and the files that they should find."""
    taken: set[Path] = set()
    idle = False
    for pattern in entries(file.root, key):
        found = set(file.path.parent.glob(text(pattern))) if text(pattern) else set()
        taken |= found
        if not found:
            idle = True
            yield Problem(
                check="files/loaded",
                path=file.path,
                line=line(pattern),
                what=f"`{text(pattern)}` in `{key}` matches no file.",
                cure="Write a path or pattern relative to this file.",
            )
    # Where a pattern finds nothing, that is why nothing loads these.
    for path in sorted(set(files) - taken) if not idle else ():
        yield Problem(
            check="files/loaded",
            path=path,
            what=f"`{key}` of {file.path.name} does not match this file, so nothing loads it.",
            cure=f"Add it to `{key}`, or delete it.",
        )
