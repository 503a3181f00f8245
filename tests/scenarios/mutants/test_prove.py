"""Which proof is asked about a mutant, and what its answer means."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from scenarios.mutants import prove
from scenarios.proof import catalogue
from stack.check.configuration import load
from stack.mutation.everything import mutants
from stack.mutation.judge import By, Verdict
from stack.mutation.mutant import Mutant
from stack.paths import CONFIG_ROOT


def mutant(alert: str, file: str = "database.yml", what: str = "with a change") -> Mutant:
    return Mutant(path=Path("prometheus/rules") / file, line=1, kind="threshold", subject=alert,
                  what=what, content="", alerts=frozenset({alert}))  # fmt: skip


def survivors(*found: Mutant) -> list[Verdict]:
    return [Verdict(mutant=one, by=By.NOBODY) for one in found]


def answering(monkeypatch: pytest.MonkeyPatch, *answers: dict[str, str]) -> list[list[str]]:
    """What proofs say, one after the other; what they were asked."""
    asked: list[list[str]] = []

    def failures(changed: Sequence[Mutant], names: Sequence[str], root: Path) -> dict[str, str]:
        asked.append([*names])
        return answers[len(asked) - 1]

    monkeypatch.setattr(prove, "_failures", failures)
    return asked


def proven(found: Sequence[Verdict]) -> dict[str, Verdict]:
    return {one.mutant.subject: one for one in prove.proven(found, CONFIG_ROOT, lambda line: None)}


@pytest.mark.nightly
def test_each_mutant_is_asked_about_somewhere_or_nowhere() -> None:
    configuration, found = load(CONFIG_ROOT), catalogue.find()
    known = {one.scenario.alert for one in found} | {"routing/*"}
    for one in mutants(configuration):
        asked = prove.concerned(one, configuration, found)
        assert known.issuperset(asked), one.name
        if one.path.parts[0] == "alertmanager" and one.subject != "`global`":
            assert asked, one.name


def test_mutants_of_different_files_are_proven_together(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "never became pending: its expression stayed empty"
    asked = answering(monkeypatch, {"PostgreSQLDown": why})
    verdicts = proven(survivors(mutant("PostgreSQLDown"), mutant("DiskSpaceWarning", "host.yml")))
    assert asked == [["DiskSpaceWarning", "PostgreSQLDown"]]
    assert verdicts["PostgreSQLDown"].by is By.PROOF
    assert verdicts["PostgreSQLDown"].said == f"PostgreSQLDown: {why}"
    assert verdicts["DiskSpaceWarning"].by is By.NOBODY


def test_mutants_of_one_file_are_proven_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = answering(monkeypatch, {}, {})
    proven(survivors(mutant("PostgreSQLDown"), mutant("PostgreSQLDeadlocks")))
    assert asked == [["PostgreSQLDown"], ["PostgreSQLDeadlocks"]]


def test_what_may_be_the_doing_of_another_mutant_is_proven_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = answering(
        monkeypatch, {"PostgreSQLDown": "unexpected alert DiskSpaceWarning fired"}, {}
    )
    verdicts = proven(survivors(mutant("PostgreSQLDown"), mutant("DiskSpaceWarning", "host.yml")))
    assert asked == [["DiskSpaceWarning", "PostgreSQLDown"], ["PostgreSQLDown"]]
    assert {one.by for one in verdicts.values()} == {By.NOBODY}


def test_what_no_proof_is_about_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch)
    panel = Mutant(path=Path("grafana/dashboards/a.json"), line=1, kind="panel", subject="panel",
                   what="left out", content="")  # fmt: skip
    assert proven(survivors(panel)) == {}
    assert asked == []
