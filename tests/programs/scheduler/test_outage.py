"""The database goes away, comes back, is slow, refuses: what callers see."""

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from stack.programs.scheduler.routes import health

READ = "/api/v1/people?limit=1"
ABSENCE = {"person_id": 7, "first_day": "2025-09-03", "last_day": "2025-09-04", "kind": "sick"}


def statuses(call: Callable[[int], object], times: int) -> Counter[int]:
    with ThreadPoolExecutor(times) as threads:
        return Counter(answer.status_code for answer in threads.map(call, range(times)))  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def own_server(server_factory):
    """A server that these tests may stop."""
    with server_factory() as running:
        yield running


@pytest.fixture
def outage(own_server, settings_for, ready_app):
    """The application over that server, which is running again afterwards."""
    with ready_app(settings_for(own_server.url(), SCHEDULER_POOL_SIZE=4)) as api:
        api("coordinator1", "GET", READ)
        yield api
    if own_server.process is None:
        own_server.start()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL], ids=["fast", "killed"])
def test_stopped_database_gives_503_at_once_and_recovers(
    outage, own_server, by, eventually
) -> None:
    own_server.stop(by)
    answers = [outage("coordinator1", "GET", READ) for _ in range(3)]
    answers.append(outage("coordinator1", "POST", "/api/v1/absences", json=ABSENCE))
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert "database" in answer.json()["detail"]
    assert outage(None, "GET", "/health").status_code == 200
    not_ready = outage(None, "GET", "/health/ready")
    assert (not_ready.status_code, not_ready.json()["status"]) == (503, "not ready")
    assert outage.sample("db_pool_connections", state="idle") == 0
    labels = {"method": "GET", "path": "/api/v1/people", "status": "503"}
    assert outage.sample("http_requests_total", **labels) == 3
    own_server.start()
    eventually(lambda: outage("coordinator1", "GET", READ).status_code == 200, within_s=5)


def test_readiness_alone_notices_that_the_database_has_gone(outage, own_server) -> None:
    assert outage(None, "GET", "/health/ready").status_code == 200
    own_server.stop()
    assert outage(None, "GET", "/health/ready").status_code == 503


def test_readiness_asks_a_database_that_has_said_nothing_for_long(outage, monkeypatch) -> None:
    monkeypatch.setattr(health, "HEARD_WITHIN_S", -1.0)
    assert outage(None, "GET", "/health/ready").status_code == 200


def test_stopped_database_counts_a_failed_generation(outage, own_server) -> None:
    own_server.stop()
    days = {"start": "2025-09-01", "end": "2025-09-07"}
    answer = outage("coordinator1", "POST", "/api/v1/schedule/generate", json=days)
    assert answer.status_code == 503
    assert outage.sample("schedule_generation_failures_total", reason="database") == 1


def test_stopped_database_piles_nothing_up(outage, own_server) -> None:
    own_server.stop()
    assert statuses(lambda _: outage("coordinator1", "GET", READ), 40) == {503: 40}
    assert outage.sample("http_requests_in_progress") == 0


def test_restart_while_idle_is_not_noticed_even_by_writers(outage, own_server) -> None:
    own_server.stop()
    own_server.start()
    body = {**ABSENCE, "note": "idle restart"}
    written = statuses(lambda _: outage("coordinator1", "POST", "/api/v1/absences", json=body), 12)
    assert written == {201: 12}
    with psycopg.connect(own_server.url()) as connection:
        query = "SELECT count(*) FROM absences WHERE note = 'idle restart'"
        assert connection.execute(query).fetchone() == (12,)


def test_read_cut_off_in_the_middle_is_tried_again(outage, own_server, eventually) -> None:
    """A write, sent once already, is not."""
    with psycopg.connect(own_server.url(), autocommit=True) as other:
        waiting = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND application_name = 'residency-scheduler'"
        )
        for method, path, body, status in (
            ("GET", READ, None, 200),
            ("POST", "/api/v1/absences", ABSENCE, 503),
        ):
            answers: list[int] = []
            call = threading.Thread(
                target=lambda m=method, p=path, b=body, a=answers: a.append(  # type: ignore[misc]
                    outage("coordinator1", m, p, json=b).status_code
                )
            )
            with other.transaction():
                other.execute("LOCK TABLE people, absences IN ACCESS EXCLUSIVE MODE")
                call.start()
                with psycopg.connect(own_server.url(), autocommit=True) as killer:
                    eventually(lambda k=killer: k.execute(waiting).fetchall())
            call.join(timeout=20)
            assert answers == [status]
            eventually(lambda: outage("coordinator1", "GET", READ).status_code == 200)


def test_revoked_table_gives_500_with_others_unharmed(own_server, settings_for, ready_app) -> None:
    with ready_app(settings_for(own_server.url())):
        pass  # its first start makes the tables
    with psycopg.connect(own_server.url(), autocommit=True) as admin:
        admin.execute("CREATE ROLE app LOGIN")
        admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO app")
        admin.execute("REVOKE ALL ON rotations FROM app")
        url = own_server.url().replace("//postgres@", "//app@")
        with ready_app(settings_for(url)) as api:
            assert api("coordinator1", "GET", READ).status_code == 200
            assert api("coordinator1", "GET", "/api/v1/rotations").status_code == 500
            days = {"start": "2025-09-01", "end": "2025-09-02"}
            generated = api("coordinator1", "POST", "/api/v1/schedule/generate", json=days)
            assert generated.status_code == 500
            assert api("coordinator1", "GET", READ).status_code == 200


def test_statement_that_takes_too_long_gives_503(own_server, settings_for, ready_app) -> None:
    made = settings_for(own_server.url(), SCHEDULER_STATEMENT_TIMEOUT=0.2)
    with ready_app(made) as api, psycopg.connect(own_server.url()) as other:
        api("coordinator1", "GET", READ)
        other.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
        answer = api("coordinator1", "GET", READ)
        assert answer.status_code == 503
        assert answer.json() == {"detail": "database: QueryCanceled"}


def test_busy_pool_turns_away_what_it_cannot_hold(own_server, settings_for, ready_app) -> None:
    limits = {
        "SCHEDULER_POOL_SIZE": 1,
        "SCHEDULER_MAX_WAITING": 2,
        "SCHEDULER_ACQUIRE_TIMEOUT": 0.3,
    }
    with ready_app(settings_for(own_server.url(), **limits)) as api:
        api("coordinator1", "GET", READ)
        other = psycopg.connect(own_server.url())
        other.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(6) as threads:
            calls = [threads.submit(api, "coordinator1", "GET", READ) for _ in range(6)]
            turned_away = [c.result() for c in as_done(calls, 5)]
            other.close()
        assert {answer.status_code for answer in turned_away} == {503}
        why = Counter(answer.json()["detail"] for answer in turned_away)
        assert why == {
            "too many requests are waiting for a database connection": 3,
            "no database connection was free within 0.3 s": 2,
        }
        assert sorted(c.result().status_code for c in calls) == [200] + [503] * 5


def as_done(calls, number: int):
    """The first `number` calls to finish."""
    from concurrent.futures import as_completed

    done = as_completed(calls, timeout=20)
    return [next(done) for _ in range(number)]


@pytest.fixture
def slow_link(own_server, tmp_path: Path, free_port: int) -> Iterator[tuple[str, Path]]:
    """URL through a relay, and the control file that makes it slow."""
    control = tmp_path / "link.json"
    command = [sys.executable, "-m", "stack.programs.dblink", "--listen", str(free_port)]
    command += ["--target", str(own_server.port), "--control", str(control)]
    relay = subprocess.Popen(command)
    yield own_server.url().replace(f":{own_server.port}/", f":{free_port}/"), control
    relay.terminate()
    relay.wait(timeout=10)


def test_slow_link_gives_slow_200s(slow_link, settings_for, ready_app) -> None:
    """Each call is slower than the second that is granted while in doubt, and still succeeds."""
    url, control = slow_link
    with ready_app(settings_for(url, SCHEDULER_POOL_SIZE=4)) as api:
        api("coordinator1", "GET", READ)
        control.write_text(json.dumps({"latency_s": 0.6}))
        # Three rounds of four connections.
        assert statuses(lambda _: api("coordinator1", "GET", READ), 12) == {200: 12}
        labels = {"method": "GET", "path": "/api/v1/people", "le": "1.0"}
        quick = api.sample("http_request_duration_seconds_bucket", **labels)
        assert quick == 1, "only the first, before the link was slow"
