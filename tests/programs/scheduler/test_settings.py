"""Settings from the environment; each bad value is named."""

import pytest

from stack.errors import BadInput
from stack.programs.scheduler.settings import from_environment

URL = "postgresql://app:hidden@db:5432/residency"


def test_settings_have_defaults() -> None:
    made = from_environment({"DATABASE_URL": URL})
    assert (made.seed, made.pool_size, made.active_window_s) == (2025, 20, 300)
    assert "sslmode=disable" in made.conninfo
    assert from_environment({"DATABASE_URL": URL}).secret == made.secret


def test_settings_keep_what_the_url_says() -> None:
    assert (
        "sslmode=require" in from_environment({"DATABASE_URL": f"{URL}?sslmode=require"}).conninfo
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "`DATABASE_URL` is not set"),
        ({"DATABASE_URL": "postgresql://app:hidden@[db/x"}, "`DATABASE_URL` is not a PostgreSQL"),
        ({"DATABASE_URL": URL, "SCHEDULER_SEED": "x"}, "`SCHEDULER_SEED` is `x`, expected a whole"),
        ({"DATABASE_URL": URL, "SCHEDULER_POOL_SIZE": "0"}, "`SCHEDULER_POOL_SIZE` is `0`"),
        ({"DATABASE_URL": URL, "SCHEDULER_ACTIVE_WINDOW": "nan"}, "`SCHEDULER_ACTIVE_WINDOW`"),
    ],
)
def test_settings_name_what_is_wrong(environment: dict[str, str], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        from_environment(environment)
    assert message in str(caught.value)
    assert caught.value.cure
    assert "hidden" not in str(caught.value)
