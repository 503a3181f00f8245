"""The same seed gives the same rows, once, however many seed at the same time."""

import hashlib
import threading

import psycopg
import pytest

from stack.programs.scheduler import seed
from stack.programs.scheduler.settings import Settings

TABLES = ("people", "users", "rotations", "blocks", "assignments", "absences", "swap_requests")
TABLES += ("schedule_runs", "violations")


def fingerprint(url: str) -> str:
    digest = hashlib.sha256()
    with psycopg.connect(url) as connection:
        for table in TABLES:
            query = f"COPY (SELECT * FROM {table} t ORDER BY t) TO STDOUT"
            with connection.cursor().copy(query) as copy:  # type: ignore[arg-type]
                for data in copy:
                    digest.update(data)
    return digest.hexdigest()


@pytest.fixture
def make(postgres, settings_for):
    def made(number: int) -> str:
        url = postgres.create()
        seed.seed(settings_for(url, SCHEDULER_SEED=number))
        return fingerprint(url)

    return made


def test_seed_decides_all_rows(make, postgres, template) -> None:
    default = fingerprint(postgres.url(template))
    assert make(2025) == default
    assert make(7) != default


def test_seed_runs_once_for_two_at_the_same_time(postgres, settings_for) -> None:
    made: Settings = settings_for(postgres.create())
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(seed.seed(made))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, True]


def test_seed_has_the_promised_size(postgres, template) -> None:
    with psycopg.connect(postgres.url(template)) as connection:
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore
            for table in TABLES
        }
    assert counts["people"] == 90
    assert counts["users"] == 92
    assert counts["blocks"] == 730
    assert counts["assignments"] > 30_000
    assert counts["violations"] == 0


def test_seed_that_fails_leaves_nothing(postgres, settings_for, monkeypatch) -> None:
    url = postgres.create()

    def fail(*_: object) -> None:
        raise RuntimeError("out of names")

    monkeypatch.setattr(seed, "_swaps", fail)
    with pytest.raises(RuntimeError):
        seed.seed(settings_for(url))
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT to_regclass('people')").fetchone()
    assert row == (None,)
