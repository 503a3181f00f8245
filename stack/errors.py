"""What a user reads when something is wrong: one or two lines and an exit code, no traceback."""


class LabError(Exception):
    """A failure that a person can act on.

    `what` names the thing, what was found and where; `cure` says what to do about it.
    `exit_code` is what the command ends with.
    """

    exit_code = 1

    def __init__(self, what: str, *, cure: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.what}\n  {self.cure}" if self.cure else self.what


class CheckFailed(LabError):
    """A verdict or a check failed."""

    exit_code = 1


class BadInput(LabError):
    """Wrong use, or input that cannot be used."""

    exit_code = 2


class HostCannot(LabError):
    """The environment cannot do it: port taken, disk full, artifact unreachable, no namespaces."""

    exit_code = 3
