"""What was worked out of a text is kept for the next time: but for long ones, of which a client
could send so many, each another, that they fill the memory."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

LONGEST_KEPT = 2000
"""In characters. People's queries and templates are shorter."""

T = TypeVar("T")


def kept(most: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Like `lru_cache`, of so many texts."""

    def decorated(work: Callable[[str], T]) -> Callable[[str], T]:
        cached = lru_cache(maxsize=most)(work)

        @wraps(work)
        def of(text: str) -> T:
            return cached(text) if len(text) <= LONGEST_KEPT else work(text)

        return of

    return decorated
