"""Tasks call the rooms: the small worlds that those are tested in serve here, too."""

from tests.run.conftest import doit
from tests.store.conftest import make_deb, make_member, mirror, publish, suite, world

__all__ = ["doit", "make_deb", "make_member", "mirror", "publish", "suite", "world"]
