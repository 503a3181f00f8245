"""A token by which one of the lab's programs knows another (RFC 6750, 2.1)."""

from pathlib import Path

from stack.errors import BadInput


def bearer(file: Path | None) -> str:
    """The value of `Authorization` for the token in a file; empty without one. Raises BadInput."""
    if file is None:
        return ""
    try:
        token = file.read_text().strip()
    except (OSError, ValueError) as error:
        raise BadInput(f"the token in `{file}` cannot be read: {error}.") from error
    if not (token.isascii() and token.isalnum()):
        raise BadInput(f"`{file}` holds no token of letters and digits.")
    return f"Bearer {token}"
