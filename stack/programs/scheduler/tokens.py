"""Password hashes and signed bearer tokens, from the standard library alone."""

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal

Role = Literal["coordinator", "faculty", "resident"]

# Real scrypt, but 2 MB and about a millisecond: load tests log in all the time.
_COST = {"n": 2**9, "r": 8, "p": 1}


def hash_password(password: str, salt: bytes) -> str:
    """`salt$hash`, both in hex."""
    digest = hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_COST)
    return f"{salt.hex()}${digest.hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Whether the password has that hash; takes the same time for both answers."""
    salt = bytes.fromhex(stored.partition("$")[0])
    return hmac.compare_digest(hash_password(password, salt), stored)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """Who a token stands for; `expires` in Unix seconds, `serial` distinguishes tokens."""

    username: str
    role: Role
    person_id: int | None
    expires: int
    serial: str


def sign(claims: Claims, secret: bytes) -> str:
    """The token: claims and their HMAC, URL-safe."""
    body = _encode(json.dumps(asdict(claims), separators=(",", ":")).encode())
    return f"{body}.{_encode(hmac.digest(secret, body.encode(), 'sha256'))}"


def verify(token: str, secret: bytes, *, now: float) -> Claims | None:
    """The claims of a valid token that has not expired, otherwise None."""
    claims = _signed(token, secret)
    return claims if claims and claims.expires > now else None


@lru_cache(maxsize=1000)  # who has logged in asks again and again
def _signed(token: str, secret: bytes) -> Claims | None:
    body, _, signature = token.partition(".")
    expected = _encode(hmac.digest(secret, body.encode(), "sha256"))
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    return Claims(**json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
