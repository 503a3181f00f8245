"""The delay line: order and time, with an invented clock."""

from hypothesis import given
from hypothesis import strategies as st

from stack.programs.dblink.delay_line import DelayLine

SECONDS = st.floats(0, 10, allow_nan=False)


def test_delay_line_is_empty_at_first() -> None:
    line = DelayLine()
    assert line.next_s() is None
    assert line.take(now_s=1e9) == []
    assert line.size_bytes == 0


def test_delay_line_holds_a_chunk_for_its_latency() -> None:
    line = DelayLine()
    line.put(b"ab", now_s=1.0, latency_s=1.25)
    assert line.size_bytes == 2
    assert line.take(now_s=2.24) == []
    assert line.take(now_s=2.25) == [b"ab"]
    assert line.size_bytes == 0


def test_delay_line_delays_do_not_add_up() -> None:
    line = DelayLine()
    for n in range(100):
        line.put(b"x", now_s=n / 1000, latency_s=1.0)
    assert len(line.take(now_s=1.1)) == 100


def test_delay_line_lets_nothing_overtake_when_the_latency_falls() -> None:
    line = DelayLine()
    line.put(b"slow", now_s=0.0, latency_s=5.0)
    line.put(b"fast", now_s=1.0, latency_s=0.0)
    line.put(None, now_s=1.0, latency_s=0.0)
    assert line.take(now_s=4.9) == []
    assert line.take(now_s=5.0) == [b"slow", b"fast", None]


@given(st.lists(st.tuples(SECONDS, SECONDS), max_size=30))
def test_delay_line_keeps_order_and_loses_nothing(steps: list[tuple[float, float]]) -> None:
    line, out, now = DelayLine(), [], 0.0
    for n, (pause_s, latency_s) in enumerate(steps):
        now += pause_s
        out += line.take(now_s=now)
        line.put(bytes([n]), now_s=now, latency_s=latency_s)
        due = line.next_s()
        assert due is not None
        assert due <= now + 10
    out += line.take(now_s=now + 10)
    assert out == [bytes([n]) for n in range(len(steps))]
    assert line.size_bytes == 0
