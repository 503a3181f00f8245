"""Whom an instance is for: people on this machine, or a server's users, who come through its front
alone."""

from dataclasses import dataclass

DEVELOPMENT, PRODUCTION = "development", "production"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What was said of an instance when it came up."""

    name: str = DEVELOPMENT
    certificate: str = ""
    """File with a certificate and those that vouch for it, PEM; an instance of its own makes one
    where none is named."""
    key: str = ""
    """File with its key."""

    @property
    def is_production(self) -> bool:
        return self.name == PRODUCTION
