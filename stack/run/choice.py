"""Which of the two runs: a real program, or the lab's own in its place.

    LOGS.variant()            # what a new instance gets on this machine
    LOGS.of(layout.packages)  # what an instance was made with
    told(layout.packages)     # all choices of an instance, for people

The services have the same names in both cases, on the same ports, from the same files.
"""

import os
import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from stack.errors import BadInput, LabError

_asking = threading.Lock()
"""Of several who choose at once one asks, and the others find remembered what came of it."""


def _missing(packages: Sequence[str]) -> object:
    """Why packages cannot be had; None where they can. The store is imported where it is asked:
    most commands only want to know what runs."""
    from stack.store.packageset import available

    return available(packages)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A real program, or several that belong together, and what stands in for them."""

    what: str
    """What they are for: `logs by Loki and Promtail`."""
    variable: str
    """Environment variable with the wish: `auto` (or unset) takes the real ones where their
    packages are available, `real` and `own` insist."""
    real: str
    own: str
    packages: tuple[str, ...]
    """Packages of the real ones, and the services that run from them; an instance that has them
    runs them."""
    real_name: str
    """For people, as `own_name`; both are plural if there are several packages."""
    own_name: str
    own_packages: tuple[str, ...] = ()
    """Packages that the lab's own needs to be whole; it runs without them, too."""
    lacks: str = ""
    """What it lacks then."""

    def variant(self) -> str:
        """`real` or `own`: what a new instance gets. Raises BadInput for a bad wish.

        Where `auto` has to get the packages, that takes three seconds when nobody answers and
        `optional.LIMIT_S` at most, once a day; what keeps them away goes to stderr.
        """
        wish = self._wish()
        if wish == "auto":
            return self.real if self._available() else self.own
        return wish

    def needed(self) -> tuple[str, ...]:
        """The packages of what a new instance gets. As `variant`."""
        return self.packages if self.variant() == self.real else self.own_packages

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
        if self._wish() == "auto":
            why = str(_missing(self.packages) or f"{why}, and see above")
        return f"{self.own_name} ({why})"

    def wanting(self, package: str) -> str:
        """Who needs a package, and where: `Grafana needs it where it runs`."""
        who = self.own_name if package in self.own_packages else self.real_name
        return f"{who} {self._said('needs it where it runs', 'need it where they run')}"

    def coming(self) -> str:
        """What a new instance would run, and why it is not the real one; takes no more than asking
        upstream does."""
        if self._wish() == self.real or (self._wish() == "auto" and not _missing(self.packages)):
            return self.real_name
        return self.reason(())

    def _wish(self) -> str:
        wish = os.environ.get(self.variable) or "auto"
        if wish not in ("auto", self.real, self.own):
            raise BadInput(
                f"{self.variable} is `{wish}`.",
                cure=f"Set it to `auto`, `{self.real}` or `{self.own}`, or unset it.",
            )
        return wish

    def _available(self) -> bool:
        from stack.store.packageset import obtain

        with _asking:
            try:
                missing = obtain(self.packages)
            except LabError as error:
                # Not upstream's fault, and still no reason to do without logs or dashboards.
                self._warn(error.what)
                return False
        if missing and missing.fresh:
            self._warn(str(missing))
        return not missing

    def _warn(self, reason: str) -> None:
        print(
            f"{self.real_name} {self._said('is', 'are')} not available, so {self.own_name} "
            f"{self._said('runs', 'run')} instead:\n    {reason}\n"
            f"  {self.variable}={self.own} chooses {self._said('it', 'them')} without asking. "
            "Downloaded elsewhere, `doit import --artifact FILE` brings a release in.",
            file=sys.stderr,
        )

    def warn_incomplete(self, error: LabError) -> None:
        """Say what the lab's own lacks where its packages are not available."""
        print(
            f"{self.own_name} {self._said('runs', 'run')} without {self.lacks}:\n    {error.what}\n"
            f"  {error.cure} Then `doit up` again.",
            file=sys.stderr,
        )

    def _said(self, of_one: str, of_several: str) -> str:
        return of_several if len(self.packages) > 1 else of_one


LOGS = Choice(
    what="logs",
    variable="STACK_LOGS",
    real="loki",
    own="embedded",
    packages=("loki", "promtail"),
    real_name="Loki and Promtail",
    own_name="the lab's own store and shipper",
)
"""What collects and keeps the logs."""

GRAFANA = Choice(
    what="dashboards",
    variable="STACK_GRAFANA",
    real="grafana",
    own="viewer",
    packages=("grafana",),
    real_name="Grafana",
    own_name="the lab's viewer",
    own_packages=("viewer",),
    lacks="its page, with its API alone",
)
"""What shows the dashboards."""

CHOICES = (LOGS, GRAFANA)


def behind(service: str) -> Choice | None:
    """The choice that says what runs as this service; None where there is none to make."""
    return next((choice for choice in CHOICES if service in choice.packages), None)


def instead_of(service: str, packages: Collection[str]) -> str:
    """What to do where a real program does not work in an instance with these packages; empty for
    all others."""
    choice = behind(service)
    if choice is None or choice.of(packages) == choice.own:
        return ""
    return f"{choice.variable}={choice.own} runs {choice.own_name} instead."


def told(packages: Collection[str], services: Collection[str] | None = None) -> str:
    """What an instance with these packages runs: `logs by …, dashboards by …`. One that was made
    before there were some `services` has no more than these."""
    return ", ".join(
        f"{choice.what} by {choice.name(packages)}"
        for choice in CHOICES
        if services is None or set(choice.packages) <= set(services)
    )
