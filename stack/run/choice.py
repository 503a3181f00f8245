"""Which pair collects and keeps the logs: Loki and Promtail, or the lab's own stand-ins.

    variant()            # what a new instance gets on this machine
    of(layout.packages)  # what an instance was made with

Services are called `loki` and `promtail` in both cases, on the same ports, from the same files.
"""

import os
from collections.abc import Collection
from typing import Literal

from stack.errors import BadInput, HostCannot
from stack.store.packageset import available, realise

Variant = Literal["loki", "embedded"]

VARIABLE = "STACK_LOGS"
"""`auto` (or unset): the real pair where its packages can be had, else the embedded one."""

PACKAGES = ("loki", "promtail")
"""Packages of the real pair; an instance that has them runs them."""

_CHOICES = ("auto", "loki", "embedded")


def variant() -> Variant:
    """The pair that a new instance gets. Raises BadInput for a bad `STACK_LOGS`.

    Where `auto` has to ask whether the packages can be had, it takes three seconds, once a day.
    """
    wish = _wish()
    if wish == "auto":
        return "loki" if _can_be_had() else "embedded"
    return "loki" if wish == "loki" else "embedded"


def of(packages: Collection[str]) -> Variant:
    """The pair of an instance that was made with these packages."""
    return "loki" if set(PACKAGES) <= set(packages) else "embedded"


def note(service: str, packages: Collection[str]) -> str:
    """What to add to what a service is: nothing, unless it stands in for the real one."""
    stands_in = service in PACKAGES and of(packages) == "embedded"
    return " (the lab's own)" if stands_in else ""


def name(running: Variant) -> str:
    """For people."""
    return "Loki and Promtail" if running == "loki" else "the lab's own store and shipper"


def said(running: Variant) -> str:
    """The pair's name, and why it is not the real one."""
    if running == "loki":
        return name(running)
    why = f"{VARIABLE}={_wish()}"
    if _wish() == "auto" and (missing := available(PACKAGES)):
        why = str(missing)
    return f"{name(running)} ({why})"


def _wish() -> str:
    wish = os.environ.get(VARIABLE) or "auto"
    if wish not in _CHOICES:
        raise BadInput(
            f"{VARIABLE} is `{wish}`.", cure="Set it to `auto`, `loki` or `embedded`, or unset it."
        )
    return wish


def _can_be_had() -> bool:
    if available(PACKAGES):
        return False
    try:
        realise(PACKAGES)
    except HostCannot:
        return False  # it answered, but the download broke
    return True
