"""Passwords and tokens: the genuine one is believed, everything else is not."""

import dataclasses

import pytest

from stack.programs.scheduler import tokens
from stack.programs.scheduler.tokens import Claims

SECRET = b"k" * 32
CLAIMS = Claims(username="faculty01", role="faculty", person_id=61, expires=1000, serial="s")
TOKEN = tokens.sign(CLAIMS, SECRET)
FORGED = tokens.sign(dataclasses.replace(CLAIMS, role="coordinator"), SECRET)


def test_verify_gives_the_claims_back() -> None:
    assert tokens.verify(TOKEN, SECRET, now=999) == CLAIMS


@pytest.mark.parametrize(
    ("token", "secret", "now"),
    [
        pytest.param(TOKEN, SECRET, 1000, id="expired"),
        pytest.param(TOKEN, b"other", 0, id="another key"),
        pytest.param(FORGED.split(".")[0] + "." + TOKEN.split(".")[1], SECRET, 0, id="swapped"),
        pytest.param(TOKEN[:-1], SECRET, 0, id="cut off"),
        pytest.param("", SECRET, 0, id="empty"),
        pytest.param("é.é", SECRET, 0, id="not ASCII"),
    ],
)
def test_verify_refuses(token: str, secret: bytes, now: float) -> None:
    assert tokens.verify(token, secret, now=now) is None


def test_password_matches_only_itself() -> None:
    stored = tokens.hash_password("secret", b"salt")
    assert "secret" not in stored
    assert tokens.password_matches("secret", stored)
    assert not tokens.password_matches("Secret", stored)
