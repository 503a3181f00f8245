"""A fleet looks as the stub scheduler itself, and counts what that counted."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadgen.fleet.member import Member
from loadgen.fleet.shape import Shape
from stack.errors import BadInput

HOUR_S = 3600.0


def names(text: str) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    return [
        (one.name, tuple(sorted(one.labels.items())))
        for family in text_string_to_metric_families(text)
        for one in family.samples
    ]


def values(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")]


def member(text: str, rate: float = 5.0) -> Member:
    return Member("scheduler-0001", Shape(text), rate=rate, started=1000.0, seed=1)


def test_member_answers_with_the_scheduler_s_own_series_types_and_order(busy: str) -> None:
    said = member(busy).text(1010.0)
    assert names(said) == names(busy)
    assert comments(said) == comments(busy)


def test_counters_only_grow_and_histograms_are_whole(busy: str) -> None:
    one = member(busy)
    before = values(one.text(1010.0))
    after = values(one.text(1310.0))
    grown = [name for name in before if after[name] > before[name]]
    assert grown, "it lives"
    kinds = {family.name: family.type for family in text_string_to_metric_families(busy)}
    for (name, labels), value in after.items():
        if name.endswith(("_total", "_bucket", "_count", "_sum")):
            assert value >= before[name, labels]
        if name.endswith("_count") and kinds.get(name.removesuffix("_count")) == "histogram":
            base = name.removesuffix("_count")
            buckets = {
                float(dict(of)["le"]): found
                for (bucket, of), found in after.items()
                if bucket == f"{base}_bucket" and set(of) - {("le", dict(of)["le"])} == set(labels)
            }
            counts = [buckets[edge] for edge in sorted(buckets)]
            assert counts == sorted(counts)
            assert buckets[float("inf")] == value


def test_what_never_happened_does_not_happen_here_either(busy: str) -> None:
    after = values(member(busy).text(4000.0))
    for name, value in values(busy).items():
        if name[0].endswith(("_total", "_bucket")) and value == 0:
            assert after[name] == 0


def test_what_happened_twice_as_often_does_so_here(busy: str) -> None:
    after = values(member(busy, rate=50.0).text(3000.0))

    def count(path: str) -> float:
        return after["http_requests_total",
                     (("method", "GET"), ("path", path), ("status", "200"))]  # fmt: skip

    seen = values(busy)
    asked = seen["http_requests_total",
                 (("method", "GET"), ("path", "/api/people"), ("status", "200"))]  # fmt: skip
    assert count("/api/people") / count("/api/schedule") == pytest.approx(
        asked / (200 - asked), rel=0.1
    )


def test_scheduler_that_nobody_asked_makes_a_fleet_that_counts_everything(idle: str) -> None:
    after = values(member(idle, rate=50.0).text(2000.0))
    assert sum(value > 0 for value in after.values()) > len(after) / 2


def test_two_members_of_one_seed_are_alike_and_of_two_are_not(busy: str) -> None:
    def text(seed: int) -> str:
        return Member("a", Shape(busy), rate=5.0, started=0.0, seed=seed).text(100.0)

    assert text(1) == text(1)
    assert text(1) != text(2)


def test_label_values_are_replaced_one_after_the_other_and_start_anew(busy: str) -> None:
    shape = Shape(busy)
    assert shape.label == "path"
    one = Member("a", shape, rate=50.0, started=0.0, seed=1)
    before = one.text(100.0)
    first = shape.groups[0].value
    after = values(one.text(100.0, generation=1))
    renamed = {labels for _, labels in after if ("path", f"{first}~1") in labels}
    assert len(after) == len(values(before)), "as many series as before"
    assert len(renamed) > 1
    assert all(after[name] == 0 for name in after if ("path", f"{first}~1") in name[1])
    assert not any(("path", first) in labels for _, labels in after)
    everything = len(shape.groups)
    again = values(one.text(100.0, generation=everything + 1))
    assert any(("path", f"{first}~2") in labels for _, labels in again)


def test_few_templates_are_kept_however_often_labels_change(busy: str) -> None:
    shape = Shape(busy)
    for generation in range(200):
        shape.template(generation)
    assert len(shape._templates) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no series"),
        ("# TYPE a counter\n", "has no series"),
        ("# TYPE a gauge\na 1\n", "counts nothing"),
        ("# TYPE a counter\na_total one\n", "line 2 of what the fleet is to look like"),
        ("<html>\n", "line 1 of what the fleet is to look like"),
    ],
    ids=["nothing", "comments", "gauges", "words", "a-page"],
)
def test_text_that_is_no_scheduler_s_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Shape(text)
