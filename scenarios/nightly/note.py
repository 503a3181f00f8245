"""A note to those who are not there: JSON as Slack's incoming webhooks take it
(docs.slack.dev, "Sending messages using incoming webhooks")."""

from urllib.parse import urlsplit

import httpx

from scenarios.nightly.ledger import Ledger
from scenarios.nightly.summary import bad, headline
from stack.errors import BadInput

TIMEOUT_S = 10.0


def check(url: str) -> None:
    """Raises BadInput for what is no address. It is not repeated: whoever knows it can write."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        raise BadInput("--webhook is not an address.", cure="It begins with https://.")


def text(ledger: Ledger) -> str:
    rows = [f"• {one.stage}: {one.verdict}. {one.said}" for one in bad(ledger.outcomes)]
    return "\n".join([f"Nightly, {headline(ledger)}", *rows])


def send(url: str, ledger: Ledger) -> str:
    """Why the note did not get through; empty when it did."""
    try:
        answer = httpx.post(url, json={"text": text(ledger)}, timeout=TIMEOUT_S)
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}".rstrip(": ")
    return "" if answer.is_success else f"it answers {answer.status_code}"
