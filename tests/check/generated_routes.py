"""Routing trees from a seed, and what our reader and amtool make of them.

A process of amtool takes one label set and one configuration. So many trees are asked about at
once: they hang below one top route, each goes on to the next, and each has receivers of its own.
"""

import random
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from stack.check import routes
from stack.check.yamlfile import text
from stack.logql import golang

Labels = dict[str, str]

NAMES = ("severity", "team", "alertname", "a", "b_1", "a:b", "x.y", "näme", "with space")
VALUES = (
    "critical", "warning", "database", "b", "B", "bb", "a b", "c,d", 'q"x', "back\\slash",
    "two\nlines", "É", "x", "1", "host-1:9100", "{b}", "'b'", "true", "a=b", "tab\t", "",
)  # fmt: skip
PATTERNS = (
    "critical|warning", "crit.*", ".*", ".+", "", "[[:alpha:]]+", "(?i)CRITICAL", "a)|(b", r"\w+",
    r"host-\d+:9100", "[^a-c]*", "b?", r"\pL+", "(critical|warning)?", "^critical$", "crit", "b.",
    "(?s).*", r"\Qa b\E", "b{2,3}", "(?P<n>b)", "é|É", "(?i)é", r"\x62", "$b", r"critical\z",
    r"b\b", "b|", "|b", "two.lines", "(?m)two$", "(?U)b+", r"\S+\s\S+", "c,d",
)  # fmt: skip
REFUSED = ("(", "(?=b)", "[b", r"b{1001}", r"\C", r"(b)\1", "*", "(?<!b)c", r"\Z", r"\pX")
NULLS = ("", "~", "null")


@dataclass(frozen=True, kw_only=True)
class Tree:
    """One routing tree, as YAML in flow style."""

    id: int
    keys: str
    """Keys and values of its top route, without the braces around them."""

    @property
    def receivers(self) -> str:
        names = [f"t{self.id}", *(f"t{self.id}-{number}" for number in range(40))]
        return ", ".join(f"{{name: {name}}}" for name in names)

    @property
    def alone(self) -> str:
        return f"route: {{{self.keys}}}\nreceivers: [{self.receivers}]\n"


def together(trees: Sequence[Tree]) -> str:
    """All of them as one configuration: its receivers are those of the first, then the second …"""
    below = ",\n".join(f"  {{continue: true, {tree.keys}}}" for tree in trees)
    known = ", ".join(tree.receivers for tree in trees)
    return f"route: {{receiver: top, routes: [\n{below}]}}\nreceivers: [{{name: top}}, {known}]\n"


class Generator:
    """Trees and label sets from one seed."""

    def __init__(self, seed: int, *, refused: float = 0.002) -> None:
        self._random = random.Random(seed)
        self._refused = refused
        self._receivers = 0

    def tree(self, number: int) -> Tree:
        self._receivers = 0
        below = self._routes(number, depth=0)
        return Tree(id=number, keys=f"receiver: t{number}{self._grouping()}, routes: {below}")

    def labels(self) -> Labels:
        """Each value of its own, so that label sets differ in what is missing, too."""
        names = self._random.sample(NAMES, self._random.randint(0, len(NAMES)))
        return {name: self._random.choice(VALUES) for name in names}

    def _routes(self, number: int, depth: int) -> str:
        count = self._random.randint(0 if depth else 1, 4 - depth)
        return f"[{', '.join(self._route(number, depth) for _ in range(count))}]"

    def _route(self, number: int, depth: int) -> str:
        keys = []
        if self._one_in(5):
            keys += [f"receiver: {self._random.choice(('~', quote('')))}"] * self._one_in(2)
        else:
            keys.append(f"receiver: t{number}-{self._receivers}")
            self._receivers += 1
        if self._one_in(2):
            word = ("true", "yes", "on", "y", "false", "no", "True", "OFF", "N", *NULLS)
            keys.append(f"continue: {self._random.choice(word)}")
        elif self._unlucky():
            keys.append(f"continue: {self._random.choice(('1', quote('true'), 'maybe'))}")
        keys += self._matchers()
        if grouping := self._grouping():
            keys.append(grouping.removeprefix(", "))
        if depth < 2 and not self._one_in(3):
            keys.append(f"routes: {self._routes(number, depth + 1)}")
        self._random.shuffle(keys)
        return f"{{{', '.join(keys)}}}"

    def _matchers(self) -> list[str]:
        keys = []
        if self._one_in(4):
            keys.append(f"match: {self._old(VALUES)}")
        if self._one_in(5):
            keys.append(f"match_re: {self._old(PATTERNS)}")
        if not keys or self._one_in(3):
            several = [quote(self._string()) for _ in range(self._random.choice((0, 1, 1, 1, 2)))]
            if self._one_in(20):
                several.append("~")
            keys.append(f"matchers: [{', '.join(several)}]")
        if self._unlucky():
            wrong = ("matchers: a=b", "match: [a]", "matchers: [[a=b]]", "matchers: {a: b}")
            return [self._random.choice(wrong)]
        return keys

    def _old(self, values: Sequence[str]) -> str:
        names = self._random.sample(NAMES[:5], self._random.choice((0, 1, 1, 1, 2)))
        if self._unlucky():
            names.append(self._random.choice(("x.y", "a:b", "1a", "")))
        found = {quote(name): quote(self._random.choice(values)) for name in names}
        if found and values is VALUES and self._one_in(5):
            found[next(iter(found))] = self._random.choice(("1", "true", "~", "critical", "0x1"))
        return f"{{{', '.join(f'{name}: {value}' for name, value in found.items())}}}"

    def _string(self) -> str:
        """One string of a list of matchers; sometimes with a character too many or too few."""
        parts = [self._matcher() for _ in range(self._random.choice((1, 1, 1, 2, 3)))]
        string = self._random.choice((",", ", ", " ,")).join(parts)
        string += self._random.choice(("", "", "", ",", ", "))
        if self._one_in(4):
            string = f"{{{string}}}"
        if self._one_in(60):
            string = self._random.choice(("", "{}", "{", "}", ",", " ", "{a=b", "a=b}", "{{a=b}}"))
        if self._random.random() < 3 * self._refused:
            at = self._random.randint(0, len(string))
            string = string[:at] + self._random.choice(list("{}!=~,\\\"'` \tb")) + string[at:]
        if string and self._random.random() < 3 * self._refused:
            at = self._random.randrange(len(string))
            string = string[:at] + string[at + 1 :]
        return string

    def _matcher(self) -> str:
        operator = self._random.choice(("=", "=", "!=", "=~", "=~", "!~"))
        value = self._random.choice(PATTERNS if "~" in operator else VALUES)
        if "~" in operator and self._unlucky():
            value = self._random.choice(REFUSED)
        space = self._random.choice(("", "", " ", "\t"))
        if self._one_in(3):
            name = golang.quoted(self._random.choice(NAMES))
            return f"{name}{space}{operator}{space}{golang.quoted(value)}"
        name = self._random.choice(NAMES[: 6 if self._random.random() > self._refused else 9])
        ways = [golang.quoted(value)] * 3 + [classic(value)] * 3 + [f"'{value}'"]
        if not set(value) & set(',"\n{}'):
            ways += [value] * 2
        return f"{space}{name}{operator}{space}{self._random.choice(ways)}"

    def _grouping(self) -> str:
        if not self._one_in(5):
            return ""
        right = ("[]", "[alertname, team]", "['...']", "[x.y]", *NULLS)
        wrong = ("[a, a]", "['...', a]", "a", "[~]", "['']")
        return f", group_by: {self._random.choice(wrong if self._unlucky() else right)}"

    def _one_in(self, count: int) -> bool:
        return self._random.randrange(count) == 0

    def _unlucky(self) -> bool:
        """Now something comes that is refused."""
        return self._random.random() < self._refused


def quote(value: str) -> str:
    """A YAML scalar in double quotes."""
    return golang.quoted(value).replace("\x7f", "\\x7f")


def classic(value: str) -> str:
    """In double quotes, with the escapes of the classic grammar alone."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


# What is made of them.


def ours(tree: Tree) -> routes.Route | None:
    """Our reading; None when we refuse it."""
    document = yaml.compose(tree.alone, yaml.CSafeLoader)
    route = routes.read(document.value[0][1])
    return None if route.unreadable else route


def receivers(route: routes.Route, labels: Labels) -> list[str]:
    return [text(leaf.receiver) for leaf in route.leaves(labels)]


@dataclass(frozen=True, kw_only=True)
class Amtool:
    """Asked in a folder of its own."""

    program: Path
    folder: Path

    def routed(self, configuration: str, labels: Labels, name: str) -> list[str] | None:
        """The receivers, in order; None when it refuses the configuration."""
        file = self.folder / f"{name}.yml"
        if not file.exists():
            file.write_text(configuration)
        given = [f"{golang.quoted(key)}={golang.quoted(value)}" for key, value in labels.items()]
        done = subprocess.run(
            [self.program, "config", "routes", "test", f"--config.file={file}", *given],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Failed to parse labels" not in done.stderr, done.stderr
        # What it warns of stands above.
        said = done.stdout.strip().splitlines()
        return said[-1].split(",") if done.returncode == 0 else None


def disagreements(
    trees: Iterable[Tree], label_sets: Sequence[Labels], amtool: Amtool, jobs: int = 2
) -> Iterator[str]:
    """In which trees our reader and amtool differ, and how."""
    read = {tree: ours(tree) for tree in trees}
    refused = [tree for tree, route in read.items() if route is None]
    with ThreadPoolExecutor(jobs) as pool:
        alone = pool.map(lambda tree: amtool.routed(tree.alone, {}, f"alone-{tree.id}"), refused)
        for tree, found in zip(refused, alone, strict=True):
            if found is not None:
                yield f"we refuse what amtool takes:\n{tree.keys}"
        taken = [tree for tree, route in read.items() if route is not None]
        good = list(_taken(taken, amtool))
        yield from (f"amtool refuses what we take:\n{one.keys}" for one in taken
                    if one not in good)  # fmt: skip
        whole, name = together(good), f"good-{good[0].id}" if good else ""
        answers = pool.map(lambda labels: amtool.routed(whole, labels, name), label_sets)
        for labels, answer in zip(label_sets, answers, strict=True) if good else ():
            assert answer is not None
            for tree in good:
                route = read[tree]
                assert route is not None
                own = f"t{tree.id}"
                theirs = [one for one in answer if one.partition("-")[0] == own]
                if theirs != (mine := receivers(route, labels)):
                    yield f"{labels}: amtool {theirs}, we {mine}:\n{tree.keys}"


def _taken(trees: Sequence[Tree], amtool: Amtool) -> Iterator[Tree]:
    """Those that amtool takes, by halves."""
    if not trees:
        return
    name = f"taken-{trees[0].id}-{len(trees)}"
    if amtool.routed(together(trees), {}, name) is not None:
        yield from trees
    elif len(trees) > 1:
        half = len(trees) // 2
        yield from _taken(trees[:half], amtool)
        yield from _taken(trees[half:], amtool)


def compared(
    count: int, *, sets: int, seed: int, program: Path, batch: int = 100
) -> Iterator[tuple[int, int, list[str]]]:
    """Batch by batch: how many trees, how many of them are refused, and what differs."""
    for begin in range(0, count, batch):
        generator = Generator(seed * 1_000_003 + begin)
        trees = [generator.tree(begin + number) for number in range(min(batch, count - begin))]
        label_sets = [generator.labels() for _ in range(sets)]
        with TemporaryDirectory() as folder:
            amtool = Amtool(program=program, folder=Path(folder))
            found = list(disagreements(trees, label_sets, amtool))
        yield len(trees), sum(ours(tree) is None for tree in trees), found
