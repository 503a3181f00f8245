"""The greedy roster: quiet months are legal, absences are sacred, scarcity has its price."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.programs.scheduler import acgme, model, people, roster
from stack.programs.scheduler.model import FIRST_DAY, LAST_DAY, Duty, Person
from stack.programs.scheduler.roster import Absence

STAFF = [Person(id=n, pgy_level=(n - 1) % 3 + 1) for n in range(1, 61)]
STAFF += [Person(id=n, pgy_level=None) for n in range(61, 91)]
SEPTEMBER = FIRST_DAY + 62


def away(ids: range, first: int = SEPTEMBER, days: int = 28) -> list[Absence]:
    return [Absence(person_id=n, first_day=first, last_day=first + days - 1) for n in ids]


def generate(absences: list[Absence], days: int = 28) -> roster.Roster:
    return roster.generate(STAFF, absences, [], SEPTEMBER, SEPTEMBER + days - 1)


def broken(made: roster.Roster, days: int = 28) -> set[str]:
    found = acgme.validate(made.duties, STAFF, SEPTEMBER, SEPTEMBER + days - 1)
    return {violation.rule for violation in found}


@pytest.mark.parametrize("seed", [2025, 1])
def test_generate_of_a_healthy_year_breaks_no_rule(seed: int) -> None:
    absences = [absence for absence, _, _ in people.absences(seed, STAFF)]
    made = roster.generate(STAFF, absences, [], FIRST_DAY, LAST_DAY)
    assert made.unfilled == 0
    assert acgme.validate(made.duties, STAFF, FIRST_DAY, LAST_DAY) == []


def test_generate_again_gives_the_same_month() -> None:
    absences = [absence for absence, _, _ in people.absences(2025, STAFF)]
    before = roster.generate(STAFF, absences, [], FIRST_DAY, SEPTEMBER + 27)
    again = roster.generate(STAFF, absences, before.duties, SEPTEMBER, SEPTEMBER + 27)
    assert set(again.duties) == {d for d in before.duties if d.day >= SEPTEMBER}


@pytest.mark.parametrize(
    ("absent", "rules"),
    [
        pytest.param(range(0), set(), id="everybody there"),
        pytest.param(range(1, 46), {"eighty_hour_week", "one_day_in_seven"}, id="few residents"),
        pytest.param(range(61, 90), {"supervision_ratio"}, id="one attending"),
    ],
)
def test_generate_pays_for_scarcity(absent: range, rules: set[str]) -> None:
    assert broken(generate(away(absent))) >= rules
    assert bool(broken(generate(away(absent)))) == bool(rules)


@pytest.mark.parametrize(
    ("absent", "who"), [(range(1, 61), "resident"), (range(61, 91), "faculty member")]
)
def test_generate_without_anybody_raises(absent: range, who: str) -> None:
    with pytest.raises(roster.NoStaff, match=f"no {who} is available on 2025-09-04"):
        generate(away(absent, first=SEPTEMBER + 3, days=1))


ABSENCE = st.builds(
    lambda person, offset, days: Absence(
        person_id=person,
        first_day=SEPTEMBER + offset,
        last_day=SEPTEMBER + offset + days,
    ),
    st.sampled_from([n for n in range(1, 91) if n not in (1, 61)]),
    st.integers(-3, 9),
    st.integers(0, 12),
)


@settings(max_examples=40)
@given(st.lists(ABSENCE, max_size=150))
def test_generate_never_rosters_an_absence(absences: list[Absence]) -> None:
    made = generate(absences, days=7)
    for absence in absences:
        days = range(absence.first_day, absence.last_day + 1)
        assert not [d for d in made.duties if d.person_id == absence.person_id and d.day in days]
    blocks = [(d.person_id, d.day, d.half) for d in made.duties]
    assert len(blocks) == len(set(blocks)), "somebody is in two places"
    assert 0 <= made.relaxed + made.unfilled <= made.slots


def test_generate_hands_over_after_a_call_of_the_day_before() -> None:
    call = Duty(person_id=5, day=SEPTEMBER - 1, half="PM", rotation_id=model.CALL.id)
    made = roster.generate(STAFF, [], [call], SEPTEMBER, SEPTEMBER)
    own = [(d.half, d.rotation_id) for d in made.duties if d.person_id == 5]
    assert own == [("AM", model.POST.id)]


def test_solver_seconds_grow_with_size_and_tightness() -> None:
    easy, hard = generate([]), generate(away(range(1, 46)))
    month = roster.solver_seconds(easy, days=28, residents=60)
    assert 10 < month < 20
    assert roster.solver_seconds(easy, days=56, residents=60) == 2 * month
    assert roster.solver_seconds(hard, days=28, residents=60) > 300
