"""Every endpoint, as each role, over a seeded database."""

import re
from typing import Any

import pytest

from tests.waiting import eventually

WEEK = {"start": "2025-09-01", "end": "2025-09-07"}
MONTH = {"start": "2025-10-06", "end": "2025-11-02"}
JANUARY = {"start": "2026-01-01", "end": "2026-01-28"}


def free_swap(api, who: int = 7) -> dict[str, Any]:
    """A swap request of resident `who` that has been entered."""
    query = {**WEEK, "person_id": who}
    mine = api("faculty01", "GET", "/api/v1/schedule", params=query).json()["items"]
    for target in range(1, 61):
        body = {"assignment_id": mine[0]["id"], "target_id": target, "reason": "exam"}
        answer = api(f"resident{who:02}", "POST", "/api/v1/swaps", json=body)
        if answer.status_code == 201:
            return answer.json()
    raise AssertionError("nobody is free")


def test_login_gives_a_token_that_is_believed(api) -> None:
    assert api("resident07", "GET", "/api/v1/auth/me").json() == {
        "username": "resident07",
        "role": "resident",
        "person_id": 7,
    }


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"username": "resident07", "password": "guess"}, id="wrong password"),
        pytest.param({"username": "nobody", "password": "guess"}, id="unknown user"),
    ],
)
def test_login_refuses(api, body: dict[str, str]) -> None:
    answer = api(None, "POST", "/api/v1/auth/login", json=body)
    assert (answer.status_code, answer.json()) == (401, {"detail": "wrong user name or password"})


@pytest.mark.parametrize(
    ("username", "said"),
    [
        ("resident07", "POST /api/v1/auth/login 401: login refused: wrong password for resident07"),
        ("my secret", "POST /api/v1/auth/login 401: login refused: unknown user"),
    ],
)
def test_login_that_is_refused_leaves_a_warning(api, caplog, username: str, said: str) -> None:
    with caplog.at_level("INFO", "scheduler.request"):
        api(None, "POST", "/api/v1/auth/login", json={"username": username, "password": "guess"})

    # It is written once the answer is out, and so may be that of the request before.
    def written() -> bool:
        lines = [(one.levelname, one.getMessage()) for one in caplog.records]
        assert ("WARNING", said) in lines, lines
        return True

    eventually(written, "the warning")


@pytest.mark.parametrize("token", ["nonsense", "a.b", "eyJ9.é"])
def test_reads_need_a_genuine_token(api, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = api.http.get("/api/v1/people", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_people_can_be_filtered_and_paged(api) -> None:
    query = {"role": "resident", "pgy_level": 2, "limit": 3, "offset": 2}
    page = api("resident01", "GET", "/api/v1/people", params=query).json()
    assert (page["total"], [p["id"] for p in page["items"]]) == (20, [8, 11, 14])
    assert {p["pgy_level"] for p in page["items"]} == {2}


def test_schedule_of_a_person_is_that_persons(api) -> None:
    page = api("resident01", "GET", "/api/v1/schedule", params={**WEEK, "person_id": 7}).json()
    assert page["total"] == len(page["items"]) > 0
    assert {item["person_id"] for item in page["items"]} == {7}
    assert {"2025-09-01" <= item["day"] <= "2025-09-07" for item in page["items"]} == {True}


GET, POST, DELETE = "GET", "POST", "DELETE"
NEW_ABSENCE = {"first_day": "2025-09-03", "last_day": "2025-09-04", "kind": "sick"}


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status"),
    [
        ("resident01", GET, "/api/v1/rotations", None, 200),
        ("resident01", GET, "/api/v1/people/61", None, 200),
        ("resident01", GET, "/api/v1/people/999", None, 404),
        ("resident01", GET, "/api/v1/people/99999999999999999999", None, 422),
        ("resident01", GET, "/api/v1/people?limit=501", None, 422),
        ("resident01", GET, "/api/v1/schedule?start=2025-09-07&end=2025-09-01", None, 422),
        ("resident01", GET, "/api/v1/schedule?start=2025-09-01&end=2026-01-01", None, 422),
        ("resident01", GET, "/api/v1/schedule?start=2024-09-01&end=2024-09-02", None, 422),
        ("resident01", GET, "/api/v1/assignments/1", None, 200),
        ("resident01", GET, "/api/v1/assignments/999999", None, 404),
        ("resident01", DELETE, "/api/v1/assignments/1", None, 403),
        ("coordinator1", DELETE, "/api/v1/assignments/999999", None, 404),
        ("resident01", GET, "/api/v1/absences?person_id=7", None, 200),
        ("resident01", POST, "/api/v1/absences", {**NEW_ABSENCE, "person_id": 1}, 201),
        ("resident01", POST, "/api/v1/absences", {**NEW_ABSENCE, "person_id": 2}, 403),
        ("coordinator1", POST, "/api/v1/absences", {**NEW_ABSENCE, "person_id": 999}, 404),
        (
            "coordinator1",
            POST,
            "/api/v1/absences",
            {**NEW_ABSENCE, "person_id": 2, "last_day": "2025-09-01"},
            422,
        ),
        (
            "coordinator1",
            POST,
            "/api/v1/absences",
            {**NEW_ABSENCE, "person_id": 2, "note": "\0"},
            422,
        ),
        ("coordinator1", DELETE, "/api/v1/absences/999999", None, 404),
        ("resident01", DELETE, "/api/v1/absences/1", None, 403),
        ("resident01", GET, "/api/v1/swaps?status=pending", None, 200),
        ("resident01", GET, "/api/v1/swaps?status=lost", None, 422),
        ("resident01", POST, "/api/v1/swaps", {"assignment_id": 999999, "target_id": 2}, 404),
        ("resident01", POST, "/api/v1/swaps/1/approve", None, 403),
        ("faculty01", POST, "/api/v1/swaps/999999/approve", None, 404),
        ("faculty01", POST, "/api/v1/swaps/999999/reject", None, 404),
        ("resident01", GET, "/api/v1/schedule/runs", None, 200),
        ("faculty01", POST, "/api/v1/schedule/generate", WEEK, 403),
        ("resident01", POST, "/api/v1/compliance/validate", WEEK, 403),
        ("resident01", GET, "/api/v1/compliance/violations?rule=nap", None, 422),
        (None, GET, "/docs", None, 200),
        (None, GET, "/openapi.json", None, 200),
        (None, GET, "/health", None, 200),
        (None, "PUT", "/api/v1/people", None, 405),
        (None, GET, "/nowhere", None, 404),
    ],
)
def test_answers_table(api, who: str, method: str, path: str, body: object, status: int) -> None:
    assert api(who, method, path, json=body).status_code == status


@pytest.mark.parametrize(
    "body",
    [b'{"username": "\\ud800", "password": "secret"}', b'{"username": NaN, "password": "secret"}',
     b'{"username": "\xed\xa0\x80", "password": "secret"}',
     b'{"username": ' + b"[" * 900 + b"]" * 900 + b', "password": "secret"}'],
    ids=["half a character", "no number", "bytes of half a character", "deep"],
)  # fmt: skip
def test_what_no_answer_could_say_is_refused_and_not_repeated(api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.http.post("/api/v1/auth/login", content=body, headers=headers)
    assert answer.status_code == 422
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/schedule/generate", b'{"start": "2025-09-02", "end": "2025-09-01"}'),
        ("POST", "/api/v1/schedule/generate", b'{"start": 0, "end": "2025-09-01"}'),
        ("POST", "/api/v1/schedule/generate", b'{"start": "2025-09-01", "end": "1756684800"}'),
        ("POST", "/api/v1/schedule/generate", b"{"),
        ("POST", "/api/v1/schedule/generate", b"\xff"),
        ("GET", "/api/v1/absences?start=0", b""),
        ("GET", "/api/v1/schedule?start=2024-09-01&end=2024-09-02", b""),
    ],
)
def test_what_cannot_be_used_is_told_in_the_form_that_is_promised(
    api, method: str, path: str, body: bytes
) -> None:
    headers = {"Content-Type": "application/json",
               "Authorization": f"Bearer {api.login('coordinator1')}"}  # fmt: skip
    answer = api.http.request(method, path, content=body, headers=headers)
    assert answer.status_code == 422
    assert [set(fault) for fault in answer.json()["detail"]] == [{"type", "loc", "msg"}]


def test_page_of_the_api_needs_nothing_from_elsewhere(api) -> None:
    page = api.http.get("/docs").text
    assets = re.findall(r"""(?:src|href)=["']([^"']+)|url: ["']([^"']+)""", page)
    paths = [source or url for source, url in assets]
    assert len(paths) >= 4
    for path in paths:
        assert path.startswith("/"), path
        assert api.http.get(path).status_code == 200, path


def test_assignment_made_by_hand_refuses_double_booking(api) -> None:
    taken = api("faculty01", GET, "/api/v1/assignments/5").json()
    body = {key: taken[key] for key in ("person_id", "block_id", "rotation_id")}
    again = api("coordinator1", POST, "/api/v1/assignments", json=body)
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "that person already has an assignment in that block",
    )
    assert api("coordinator1", DELETE, "/api/v1/assignments/5").status_code == 204
    assert api("coordinator1", POST, "/api/v1/assignments", json=body).status_code == 201


def test_absence_can_be_taken_out(api) -> None:
    body = {**NEW_ABSENCE, "person_id": 3}
    made = api("resident03", POST, "/api/v1/absences", json=body).json()
    path = f"/api/v1/absences/{made['id']}"
    assert api("coordinator1", DELETE, path).status_code == 204
    assert api("coordinator1", DELETE, path).status_code == 404


def test_swap_approved_moves_the_assignment_once(api) -> None:
    before = api.sample("swap_requests_total", status="approved")
    swap = free_swap(api)
    path = f"/api/v1/swaps/{swap['id']}"
    approved = api("faculty01", POST, f"{path}/approve").json()
    assert (approved["status"], approved["decided_by"]) == ("approved", "faculty01")
    moved = api("faculty01", GET, f"/api/v1/assignments/{swap['assignment_id']}").json()
    assert moved["person_id"] == swap["target_id"]
    for decision in ("approve", "reject"):
        again = api("faculty01", POST, f"{path}/{decision}")
        assert (again.status_code, again.json()["detail"]) == (409, "it is already approved")
    assert api.sample("swap_requests_total", status="approved") == before + 1


def test_swap_rejected_leaves_the_assignment(api) -> None:
    swap = free_swap(api, who=9)
    rejected = api("coordinator1", POST, f"/api/v1/swaps/{swap['id']}/reject").json()
    assert rejected["status"] == "rejected"
    kept = api("faculty01", GET, f"/api/v1/assignments/{swap['assignment_id']}").json()
    assert kept["person_id"] == 9


def test_swap_of_somebody_else_is_refused(api) -> None:
    theirs = api("faculty01", GET, "/api/v1/schedule", params={**WEEK, "person_id": 8}).json()
    body = {"assignment_id": theirs["items"][0]["id"], "target_id": 9}
    answer = api("resident07", POST, "/api/v1/swaps", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "that assignment is somebody else's",
    )


def test_generate_a_healthy_month_is_compliant(api) -> None:
    before = api.sample("schedule_generation_duration_seconds_count")
    made = api("coordinator1", POST, "/api/v1/schedule/generate", json=MONTH)
    assert made.status_code == 201
    assert made.json()["unfilled"] == 0
    newest = api("faculty01", GET, "/api/v1/schedule/runs?limit=1").json()["items"][0]
    assert (newest["id"], newest["outcome"]) == (made.json()["run_id"], "success")
    verdict = api("faculty01", POST, "/api/v1/compliance/validate", json=MONTH).json()
    assert verdict["compliant"]
    assert verdict["assignments"] == made.json()["assignments"]
    assert api.sample("schedule_generation_duration_seconds_count") == before + 1


def test_generate_an_understaffed_month_is_not_compliant(api) -> None:
    rule = "eighty_hour_week"
    assert api.sample("acgme_compliance_violations_total", rule=rule) == 0
    for person in range(1, 46):
        body = {"first_day": JANUARY["start"], "last_day": JANUARY["end"], "kind": "leave"}
        api("coordinator1", POST, "/api/v1/absences", json={**body, "person_id": person})
    made = api("coordinator1", POST, "/api/v1/schedule/generate", json=JANUARY).json()
    assert made["solver_seconds"] > 300
    for _ in range(2):
        verdict = api("faculty01", POST, "/api/v1/compliance/validate", json=JANUARY).json()
        found = verdict["counts"][rule]
        assert found > 0
        listed = api("resident01", GET, f"/api/v1/compliance/violations?rule={rule}").json()
        assert listed["total"] == found, "a second validation replaces the first"
    assert api.sample("acgme_compliance_violations_total", rule=rule) == 2 * found


@pytest.mark.parametrize(
    ("days", "reason", "status"),
    [
        pytest.param({"start": "2025-12-24", "end": "2025-12-24"}, "no_staff", 409, id="nobody"),
        pytest.param(
            {"start": "2025-09-07", "end": "2025-09-01"}, "invalid_range", 422, id="range"
        ),
    ],
)
def test_generate_counts_why_it_failed(api, days, reason: str, status: int) -> None:
    if reason == "no_staff":
        body = {"first_day": days["start"], "last_day": days["end"], "kind": "leave"}
        for person in range(61, 91):
            api("coordinator1", POST, "/api/v1/absences", json={**body, "person_id": person})
    before = api.sample("schedule_generation_failures_total", reason=reason)
    answer = api("coordinator1", POST, "/api/v1/schedule/generate", json=days)
    assert answer.status_code == status
    assert api.sample("schedule_generation_failures_total", reason=reason) == before + 1
