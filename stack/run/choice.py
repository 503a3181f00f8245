"""Which of the two runs: a real program, or the lab's own in its place.

    LOGS.variant()            # what a new instance gets on this machine
    LOGS.of(layout.packages)  # what an instance was made with

The services have the same names in both cases, on the same ports, from the same files.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass

from stack.errors import BadInput, HostCannot
from stack.store.packageset import available, realise


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Real programs that belong together, and the lab's own that stand in for them."""

    variable: str
    """Environment variable with the wish: `auto` (or unset) takes the real ones where their
    packages are available, `real` and `own` insist."""
    real: str
    own: str
    packages: tuple[str, ...]
    """Packages of the real ones, and the services that run from them; an instance that has them
    runs them."""
    real_name: str
    """For people, as `own_name`."""
    own_name: str

    def variant(self) -> str:
        """`real` or `own`: what a new instance gets. Raises BadInput for a bad wish.

        Where `auto` has to ask whether the packages are available, it takes three seconds, once a
        day.
        """
        wish = self._wish()
        if wish == "auto":
            return self.real if self._available() else self.own
        return wish

    def of(self, packages: Collection[str]) -> str:
        """`real` or `own`: what an instance that was made with these packages runs."""
        return self.real if set(self.packages) <= set(packages) else self.own

    def note(self, service: str, packages: Collection[str]) -> str:
        """What to add to what a service is: nothing, unless it stands in for the real one."""
        stands_in = service in self.packages and self.of(packages) == self.own
        return " (the lab's own)" if stands_in else ""

    def name(self, packages: Collection[str]) -> str:
        """What an instance with these packages runs, for people."""
        return self.real_name if self.of(packages) == self.real else self.own_name

    def reason(self, packages: Collection[str]) -> str:
        """The name, and why it is not the real one."""
        if self.of(packages) == self.real:
            return self.real_name
        why = f"{self.variable}={self._wish()}"
        if self._wish() == "auto" and (missing := available(self.packages)):
            why = str(missing)
        return f"{self.own_name} ({why})"

    def _wish(self) -> str:
        wish = os.environ.get(self.variable) or "auto"
        if wish not in ("auto", self.real, self.own):
            raise BadInput(
                f"{self.variable} is `{wish}`.",
                cure=f"Set it to `auto`, `{self.real}` or `{self.own}`, or unset it.",
            )
        return wish

    def _available(self) -> bool:
        if available(self.packages):
            return False
        try:
            realise(self.packages)
        except HostCannot:
            return False  # it answered, but the download broke
        return True


LOGS = Choice(
    variable="STACK_LOGS",
    real="loki",
    own="embedded",
    packages=("loki", "promtail"),
    real_name="Loki and Promtail",
    own_name="the lab's own store and shipper",
)
"""What collects and keeps the logs."""
