"""What a master says of its workers: who is gone, what was missing, and that it is back."""

from loadgen.roster import Roster, name

A, B = "north_" + "a1" * 16, "south_" + "b2" * 16
NOBODY: frozenset[str] = frozenset()


def test_all_is_well_while_everybody_is_there() -> None:
    roster = Roster()
    assert roster.look(1.0, {A: 5, B: 5}, NOBODY, 10) == []
    assert roster.look(2.0, {A: 5, B: 5}, NOBODY, 10) == []
    assert roster.summary(1.0) == []


def test_users_that_are_still_being_started_are_no_loss() -> None:
    roster = Roster()
    assert roster.look(1.0, {A: 1, B: 0}, NOBODY, 10) == []
    assert not roster.is_short
    assert roster.lacked == 0


def test_worker_that_vanishes_is_named_with_what_was_missing_until_the_other_had_it() -> None:
    roster = Roster(heard={A: 10.0, B: 10.0})
    roster.look(10.0, {A: 5, B: 5}, NOBODY, 10)
    [gone] = roster.look(14.0, {A: 5}, frozenset({B}), 10)
    assert "worker south-b2b2b2 vanished, last heard of at" in gone
    assert "its 5 of 10 users go to the one that is left" in gone
    assert roster.is_short
    assert roster.look(15.0, {A: 5}, frozenset({B}), 10) == []
    [again] = roster.look(16.0, {A: 10}, frozenset({B}), 10)
    assert again == "all 10 users are at work again; some were missing for 6.0 s"
    assert not roster.is_short
    assert roster.lacked == 5 * 4 + 5 * 1 + 0
    named, lacked = roster.summary(0.5)
    assert "south-b2b2b2 vanished" in named
    assert "some 50 requests were not offered" in lacked
    assert "25 seconds of one user's work" in roster.summary(0)[1]


def test_loss_that_nobody_makes_up_for_is_said_in_the_end() -> None:
    roster = Roster()
    roster.look(1.0, {A: 5, B: 5}, NOBODY, 10)
    roster.look(2.0, {A: 5}, frozenset({B}), 10)
    assert "in the end 5 users were still missing" in roster.summary(0)


def test_worker_that_says_that_it_leaves_has_not_vanished() -> None:
    roster = Roster(heard={B: 1.5})
    roster.look(1.0, {A: 5, B: 5}, NOBODY, 10)
    [gone] = roster.look(2.0, {A: 5}, NOBODY, 10)
    assert "worker south-b2b2b2 left" in gone


def test_worker_that_comes_back_is_told_and_stays_named_in_the_end() -> None:
    roster = Roster(heard={B: 1.0})
    roster.look(1.0, {A: 5, B: 5}, NOBODY, 10)
    roster.look(2.0, {A: 10}, frozenset({B}), 10)
    assert "worker south-b2b2b2 is back" in roster.look(3.0, {A: 5, B: 5}, NOBODY, 10)
    assert "south-b2b2b2 vanished" in roster.summary(0)[0]


def test_last_worker_that_is_gone_leaves_nobody_to_go_to() -> None:
    roster = Roster()
    roster.look(1.0, {A: 5}, NOBODY, 5)
    [gone] = roster.look(2.0, {}, frozenset({A}), 5)
    assert " go to " not in gone


def test_name_without_a_host_is_shown_as_it_is() -> None:
    assert name("local") == "local"
