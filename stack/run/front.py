"""Who the front lets in: a user for each role, with a password that is the instance's own.

The users' file is nginx' `auth_basic_user_file`, which is read anew for each request: whoever has a
password of their own adds the line that `htpasswd -B` prints. What a user may do stands in
`stack/config/nginx/roles.conf`.
"""

import os
from pathlib import Path

from stack.run.service import Layout
from stack.users import unprivileged

USERS = ("viewer", "responder", "operator")
"""One for each role."""

_ROUNDS = 4
"""Of bcrypt, the fewest: a password of 128 random bits needs none to make guessing slow, and nginx
computes them for each request."""


def users(layout: Layout) -> Path:
    return layout.data("proxy") / "users"


def password_file(layout: Layout, user: str) -> Path:
    return layout.secret(f"proxy_password_{user}")


def url(layout: Layout) -> str:
    """Base URL on this machine, without a trailing slash."""
    return layout.url("proxy").replace("http:", "https:", 1)


def write_users(layout: Layout) -> None:
    """The users' file, unless it is there: people add to it. Workers of root's nginx, who run as
    another user, can read it, and nobody else."""
    import bcrypt

    file = users(layout)
    if file.exists():
        return
    lines = []
    for user in USERS:
        password = password_file(layout, user).read_bytes()
        lines.append(f"{user}:{bcrypt.hashpw(password, bcrypt.gensalt(_ROUNDS)).decode()}\n")
    partial = file.with_suffix(".part")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as made:
        made.writelines(lines)
    if workers := unprivileged():
        os.chown(partial, -1, workers.pw_gid)
        partial.chmod(0o640)
    partial.replace(file)
