"""What must hold before an instance of the production profile starts: nobody's default password,
nothing open to other users of the machine, a certificate that browsers can take.
"""

import stat
from collections.abc import Iterator

from stack.errors import BadInput
from stack.run import certificates, front
from stack.run.secrets import DEVELOPMENT_PASSWORD
from stack.run.service import Layout

SHORTEST = 16
"""Characters of a password that people type (NIST SP 800-63B asks for 15 where nothing else is)."""

_TYPED = ("grafana_admin_password", *(f"proxy_password_{user}" for user in front.USERS))

_HASHED = ("$2a$", "$2b$", "$2y$", "$5$", "$6$", "$apr1$", "{SSHA}")
"""How the hashes that nginx knows begin (nginx.org, ngx_http_auth_basic_module)."""


def check(layout: Layout) -> None:
    """Raise BadInput for all that does not hold of what is there already; what is not there is made
    as it should be."""
    problems = list(_problems(layout))
    if problems:
        raise BadInput(
            "\n".join(what for what, _ in problems),
            cure="\n  ".join(dict.fromkeys(cure for _, cure in problems))
            + "\n  Nothing was started.",
        )


def _problems(layout: Layout) -> Iterator[tuple[str, str]]:
    yield from passwords(layout)
    yield from readable(layout)
    yield from certificates.problems(layout)


def passwords(layout: Layout) -> Iterator[tuple[str, str]]:
    """Each that is a default, or short, or stands in the clear: what, and the cure."""
    for name in _TYPED:
        file = layout.secret(name)
        if not file.exists():
            continue
        password = file.read_text().strip()
        what = f"the default, `{password}`" if password == DEVELOPMENT_PASSWORD else (
            f"shorter than {SHORTEST} characters" if len(password) < SHORTEST else "")  # fmt: skip
        if what:
            yield (
                f"the password in `{file}` is {what}.",
                f"Write another one, or remove `{file}`: then one is made.",
            )
    users = front.users(layout)
    for number, line in enumerate(users.read_text().splitlines() if users.exists() else (), 1):
        user, _, hashed = line.partition(":")
        if line.strip() and not line.startswith("#") and not hashed.startswith(_HASHED):
            yield (
                f"{users}:{number}: the password of `{user}` stands there in the clear.",
                "Write the line that `htpasswd -nB USER` prints.",
            )


def readable(layout: Layout) -> Iterator[tuple[str, str]]:
    """Each secret, and each folder with data, that other users of the machine can read."""
    secrets = sorted(layout.secret("").glob("*"))
    folders = [layout.secret(""), *sorted(layout.data("").glob("*"))]
    for file in [*secrets, *(folder for folder in folders if folder.is_dir())]:
        mode = file.stat().st_mode
        if mode & (stat.S_IROTH | stat.S_IWOTH) or (file in secrets and mode & 0o077):
            yield (
                f"`{file}` can be read by other users of this machine ({stat.filemode(mode)}).",
                f"`chmod go-rwx {file}`, and take what it holds for known.",
            )
