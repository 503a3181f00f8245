"""`| logfmt`, with and without a list of labels."""

import re

from stack.logql import jsonscan
from stack.logql.ast import Extraction, Logfmt
from stack.logql.entry import Entry
from stack.logql.errors import LogQLError
from stack.logql.hints import Hints, StageFunction
from stack.logql.jsonstage import clean

FAILED = "LogfmtParserErr"

_PAIR = re.compile(
    r'[\x00-\x20]*([^\x00-\x20="]+)'
    r'(?:=(?:"((?:[^"\\]|\\.)*)"|([^\x00-\x20="]*)(?=[\x00-\x20]|\Z))|(?=[\x00-\x20]|\Z))',
    re.DOTALL,
)
_BLANK = re.compile(r"[\x00-\x20]*")
_WORD = re.compile(r"[^\x00-\x20]*")
_KEY = re.compile(r'[^\x00-\x20="]*')
_VALUE = re.compile(r'[^\x00-\x20="]*')


class Pairs:
    """The well-formed pairs of a line; `error` describes the last one that was not.

    Reads as `github.com/go-logfmt/logfmt` does, on which Loki's decoder is built; `strict` stops at
    the first mistake.
    """

    def __init__(self, line: str, *, strict: bool) -> None:
        self.error = ""
        self.pairs: list[tuple[str, str]] = []
        at = 0
        match = _PAIR.match
        while at < len(line):
            found = match(line, at)
            if found:
                at = found.end()
                key, quoted, plain = found.groups()
                if "\ufffd" not in key:
                    if quoted is not None:
                        value = _unquoted(quoted)
                        if value is not None:
                            self.pairs.append((key, value))
                            continue
                        self._fail(line, at, "invalid quoted value")
                    else:
                        self.pairs.append((key, plain or ""))
                        continue
                else:
                    self._fail(line, at, "invalid key")
            else:
                at = self._skip(line, at)
            if strict and self.error:
                return

    def _skip(self, line: str, at: int) -> int:
        """Where to continue after a malformed pair; sets the error unless only blanks are left."""
        at = _end(_BLANK, line, at)
        if at == len(line):
            return at
        start = at
        at = _end(_KEY, line, at)
        if at < len(line) and line[at] == "=" and at > start:
            at += 1
            if line[at : at + 1] == '"':
                self._fail(line, len(line), "unterminated quoted value")
                return len(line)
            at = _end(_VALUE, line, at)
        self._fail(line, at, f"unexpected '{line[at : at + 1]}'")
        return _end(_WORD, line, at)

    def _fail(self, line: str, at: int, what: str) -> None:
        position = len(line[:at].encode("utf-8", "surrogateescape")) + 1
        self.error = f"logfmt syntax error at pos {position} : {what}"


def _end(pattern: re.Pattern[str], line: str, at: int) -> int:
    found = pattern.match(line, at)
    return found.end() if found else at


def _unquoted(raw: str) -> str | None:
    return jsonscan.unescaped(raw.replace("\\'", "'")) if "\\" in raw else raw


def logfmt_stage(stage: Logfmt, hints: Hints) -> StageFunction:
    if stage.extractions:
        return _chosen(stage.extractions, strict=stage.strict, hints=hints)
    strict, keep_empty = stage.strict, stage.keep_empty
    names: dict[str, str] = {}

    def run(line: str, entry: Entry) -> str | None:
        if hints.complete(entry):
            return line
        decoded = Pairs(line, strict=strict)
        enough = False
        for key, value in decoded.pairs:
            name = names.get(key)
            if name is None:
                name = clean(key)
                if len(names) < 1024:
                    names[key] = name
            if not name or (not value and not keep_empty):
                continue
            name = entry.free_name(name)
            if name in entry.parsed or not hints.wants(name):
                continue
            entry.set(name, value.replace("\ufffd", " ") if "\ufffd" in value else value)
            if hints.all_found(entry):
                enough = True
                break
        if strict and decoded.error and not enough:
            hints.parser_failed(entry, FAILED, decoded.error)
        return line

    return run


def _key_of(path: str) -> str:
    found = re.fullmatch(r'\s*(?:([A-Za-z_]\w*)|"([^"\]]*)"?)\s*', path, re.ASCII)
    if not found:
        raise LogQLError(f"cannot parse expression [{path}]: syntax error")
    return found.group(1) or found.group(2)


def _chosen(extractions: tuple[Extraction, ...], *, strict: bool, hints: Hints) -> StageFunction:
    """Only the listed labels; a label that the line does not have is empty."""
    keys = {extraction.name: _key_of(extraction.path) for extraction in extractions}
    name_of = {key: name for name, key in reversed(keys.items())}

    def run(line: str, entry: Entry) -> str | None:
        if hints.complete(entry):
            return line
        for name in keys:
            if name not in entry.base and name not in entry.metadata:
                entry.set(name, "")
        decoded = Pairs(line, strict=strict)
        for raw, value in decoded.pairs:
            key = clean(raw)
            name = name_of.get(key, key)
            if name in keys:
                entry.set(entry.free_name(name), "" if "\ufffd" in value else value)
        if strict and decoded.error:
            hints.parser_failed(entry, FAILED, decoded.error)
        return line

    return run
