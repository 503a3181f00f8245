"""The duty-hour rules, against tables and against a slow second opinion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.programs.scheduler import acgme, model
from stack.programs.scheduler.model import BY_ID, FIRST_DAY, Duty, Half, Person, Rotation

DAY = FIRST_DAY
INTERN = Person(id=1, pgy_level=1)
SENIOR = Person(id=2, pgy_level=3)
ATTENDING = Person(id=3, pgy_level=None)
PEOPLE = (INTERN, SENIOR, ATTENDING)


def duty(day: int, half: Half, rotation: Rotation, person: Person = SENIOR) -> Duty:
    return Duty(person_id=person.id, day=DAY + day, half=half, rotation_id=rotation.id)


def supervised(duties: list[Duty]) -> list[Duty]:
    """With the attending in every block, so that supervision does not matter."""
    blocks = sorted({(d.day, d.half) for d in duties})
    return duties + [
        Duty(person_id=ATTENDING.id, day=day, half=half, rotation_id=model.ATTEND.id)
        for day, half in blocks
    ]


def full_days(*days: int) -> list[Duty]:
    return [duty(day, half, model.WARD) for day in days for half in ("AM", "PM")]


def rules(duties: list[Duty], days: int) -> list[str]:
    return [v.rule for v in acgme.validate(duties, PEOPLE, DAY, DAY + days - 1)]


NO_SUNDAY = [day for day in range(28) if day % 7 != 6]
CALL_28 = [duty(0, "AM", model.WARD), duty(0, "PM", model.CALL), duty(1, "AM", model.POST)]
NIGHT_TO_NIGHT = [duty(0, "PM", model.NIGHT), *full_days(1), duty(1, "PM", model.NIGHT)]


@pytest.mark.parametrize(
    ("duties", "days", "broken"),
    [
        pytest.param([], 28, [], id="nothing"),
        pytest.param(full_days(*NO_SUNDAY), 28, [], id="six days of twelve hours"),
        pytest.param(CALL_28, 28, [], id="exactly 24 and 4 hours"),
        pytest.param(full_days(*range(6)), 6, ["eighty_hour_week"], id="84 h a week, short range"),
        pytest.param(
            full_days(*range(28)), 28, ["eighty_hour_week", "one_day_in_seven"], id="every day"
        ),
        pytest.param(
            [duty(day, "AM", model.POST) for day in range(25)],
            28,
            ["one_day_in_seven"],
            id="light but 25 days of 28",
        ),
        pytest.param(
            [*CALL_28, duty(1, "PM", model.WARD)], 28, [], id="a break after the handover"
        ),
        pytest.param(NIGHT_TO_NIGHT, 28, ["continuous_duty"], id="night, day and night"),
    ],
)
def test_validate_table(duties: list[Duty], days: int, broken: list[str]) -> None:
    assert rules(supervised(duties), days) == broken


@pytest.mark.parametrize(
    ("present", "needed"),
    [
        pytest.param((0, 0), 0, id="nobody"),
        pytest.param((1, 0), 1, id="one first-year"),
        pytest.param((2, 0), 1, id="two first-years"),
        pytest.param((3, 0), 2, id="three first-years"),
        pytest.param((0, 4), 1, id="four seniors"),
        pytest.param((0, 5), 2, id="five seniors"),
        pytest.param((1, 2), 1, id="shares add up"),
        pytest.param((1, 3), 2, id="shares add up to more than one"),
    ],
)
def test_faculty_needed_table(present: tuple[int, int], needed: int) -> None:
    assert model.faculty_needed(*present) == needed


def test_validate_names_the_block_without_supervision() -> None:
    alone = [duty(3, "PM", model.WARD, INTERN)]
    (violation,) = acgme.validate(alone, PEOPLE, DAY, DAY + 6)
    assert violation.rule == "supervision_ratio"
    assert (violation.first_day, violation.found, violation.allowed) == (DAY + 3, 0, 1)
    assert "0 faculty for 1 first-years and 0 other residents (PM)" in violation.message


def test_validate_looks_only_into_the_range() -> None:
    assert rules(supervised(full_days(*range(40, 70))), 28) == []


def test_validate_reports_the_worst_window() -> None:
    duties = supervised(full_days(*NO_SUNDAY, *range(28, 56)))
    worst = acgme.validate(duties, PEOPLE, DAY, DAY + 55)[0]
    assert (worst.rule, worst.first_day, worst.found) == ("eighty_hour_week", DAY + 28, 84)


ANY_DUTY = st.builds(
    Duty,
    person_id=st.sampled_from([1, 2]),
    day=st.integers(DAY, DAY + 34),
    half=st.sampled_from(["AM", "PM"]),
    rotation_id=st.sampled_from([r.id for r in (model.WARD, model.CALL, model.NIGHT, model.POST)]),
)


def brute_force(duties: list[Duty], first: int, last: int) -> set[str]:
    """The rules that are broken, decided hour by hour."""
    broken = set()
    for person in (INTERN, SENIOR):
        own = [d for d in duties if d.person_id == person.id and first <= d.day <= last]
        worked: set[int] = set()
        per_day: dict[int, int] = {}
        for d in own:
            start, end = BY_ID[d.rotation_id].hours(d.half)
            worked.update(range(d.day * 24 + start, d.day * 24 + end))
            per_day[d.day] = per_day.get(d.day, 0) + end - start
        length = min(28, last - first + 1)
        for begin in range(first, last - length + 2):
            window = range(begin, begin + length)
            if sum(per_day.get(day, 0) for day in window) / (length / 7) > 80:
                broken.add("eighty_hour_week")
            free = sum(not worked & set(range(day * 24, day * 24 + 24)) for day in window)
            if free < length // 7:
                broken.add("one_day_in_seven")
        for hour in worked:
            if worked.issuperset(range(hour, hour + 29)):
                broken.add("continuous_duty")
    return broken


@given(
    st.lists(ANY_DUTY, max_size=70, unique_by=lambda d: (d.person_id, d.day, d.half)),
    st.integers(0, 34),
)
def test_validate_agrees_with_brute_force(duties: list[Duty], days: int) -> None:
    found = acgme.validate(duties, PEOPLE, DAY, DAY + days)
    others = {v.rule for v in found} - {"supervision_ratio"}
    assert others == brute_force(duties, DAY, DAY + days)
