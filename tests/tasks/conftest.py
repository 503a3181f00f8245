"""Tasks call the rooms: the small worlds that those are tested in serve here, too."""

from typing import Any

import pytest

from stack.progress import Quiet
from stack.store.packageset import realise
from tests.run.conftest import doit
from tests.store.conftest import make_deb, make_member, mirror, publish, suite, world

__all__ = ["doit", "make_deb", "make_member", "mirror", "publish", "suite", "world"]


@pytest.fixture
def ahead(world: Any, mirror: Any, suite: Any, make_deb: Any, make_member: Any) -> None:
    """Everything is in the cache as pinned; since then the suite has two newer packages."""
    realise(None, world.package_set, Quiet())
    for name in ("libbase", "libtool"):
        del mirror.files[f"pool/{name}_1.0_amd64.deb"]
        file = make_member(f"usr/lib/{name}.so", b"newer")
        mirror.files[f"pool/{name}_2.0_amd64.deb"] = make_deb(file)
    suite()
