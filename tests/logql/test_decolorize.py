"""`| decolorize` takes out what strip-ansi does, in a time that grows with the line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.logql.stages import _ANSI

STRIP_ANSI = re.compile(
    "[\u001b\u009b][\\[\\]()#;?]*(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\u0007)"
    "|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))",
    re.ASCII,
)
"""The expression as that package has it, which a long line keeps busy for hours."""

PIECES = ["\x1b", "\x9b", "[", "]", "(", ";", "?", "0", "12", "99999", "a", "K", "m", "z", "=", "~",
          "\x07", " ", "é", "!"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_the_same_escapes_are_found(text: str) -> None:
    for line in (text, f"\x1b[{text}"):
        assert _ANSI.findall(line) == STRIP_ANSI.findall(line)


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[1;32;40mbold\x1b[K", "bold"),
        ("\x1b]0;title\x07text", "text"),
        ("nothing [31m of the kind", "nothing [31m of the kind"),
    ],
)
def test_colours_are_taken_out(line: str, plain: str) -> None:
    assert _ANSI.sub("", line) == plain


@pytest.mark.parametrize(
    "unit", [";", "a", "a;", "1", "1;", "1234;", "[", "[;1", "\x1b[", "\x1b]a;", "\x1b[;;;1;"]
)
def test_a_line_of_a_megabyte_takes_no_longer_than_its_length(unit: str) -> None:
    """Nothing is timed: where each character is looked at again and again, this never ends."""
    for head in ("\x1b[", "\x1b]"):
        line = head + unit * (1_000_000 // len(unit)) + "!"
        assert _ANSI.sub("", line).endswith("!")
