"""PromQL at a speed: every duration divided, the text otherwise as it was written."""

from fractions import Fraction

from stack.durations import checked, divided, duration, milliseconds, text_of
from stack.errors import BadInput
from stack.speed import hidden, tokens, tree
from stack.speed.tokens import Role, Token

SCRAPES_PER_RANGE = 4
"""`rate` needs two samples; with four, a late or lost scrape does no harm."""

AS_IT_IS = (
    "In an alert, compare `time() - x` with a constant number of seconds; "
    'or annotate the alert with `speed: "none"` if none of its numbers is lab time.'
)


def scale_expression(
    expr: str,
    speed: float,
    *,
    scrape_interval_s: float,
    written_scrape_s: float = 0.0,
    numbers: bool = True,
    recorded: bool = False,
) -> str:
    """The expression at `speed`: ranges, subqueries, offsets, and known seconds in numbers divided.

    `scrape_interval_s` is the instance's own, that is, already at speed. No range falls below four
    of them unless it was written shorter; a subquery whose range is raised keeps its number of
    steps. A floor changes nothing that was written: a range under four of `written_scrape_s`, the
    interval as written, would be read from more samples than it has and is refused, and where
    floors would make two different ranges equal, the whole expression is slower instead.
    `numbers=False` leaves plain numbers alone. `recorded` refuses an expression whose value
    is an age. Raises BadInput for text that is not PromQL, and for seconds that hide in numbers in
    a way that is not known here.
    """
    exact = checked(speed)
    if exact == 1:
        return expr
    found = tree.read(expr)
    seconds_in = hidden.find(found, recorded=recorded) if numbers else None
    floor_ms = round(SCRAPES_PER_RANGE * scrape_interval_s * 1000)
    marks = list(tokens.scan(expr))
    _refuse_sparse(found, written_scrape_s)
    exact = _distinct(marks, exact, floor_ms)
    texts = [*_durations(marks, exact, floor_ms)]
    if seconds_in is not None:
        texts += _numbers(expr, found, marks, seconds_in, exact)
    return tokens.replaced(expr, sorted(texts, key=lambda pair: pair[0].start))


def _refuse_sparse(found: tree.Node, scrape_s: float) -> None:
    """Refuse ranges with too few scrapes at true speed: a floor would give them enough."""
    for node in found.walk():
        if node.kind == "selector" and 0 < node.range_s < SCRAPES_PER_RANGE * scrape_s:
            raise BadInput(
                f"`{node.text}` looks back over {duration(node.range_s)}, but what it reads is "
                f"scraped every {duration(scrape_s)}: at true speed too few samples are in it.",
                cure=f"Make the range at least {SCRAPES_PER_RANGE} scrape intervals, or scrape "
                "more often.",
            )


def _distinct(marks: list[Token], speed: Fraction, floor_ms: int) -> Fraction:
    """The speed, or a slower one at which different ranges stay different despite the floor."""
    lengths = {_length_ms(mark.text) for mark in marks if mark.role is Role.RANGE}
    if len(lengths) == len({divided(one, speed, floor_ms=floor_ms) for one in lengths}):
        return speed
    return max(Fraction(1), min(speed, Fraction(min(lengths), max(floor_ms, 1))))


def longest_range(expr: str) -> float:
    """How far back an expression looks, in seconds: range + offset, added up through subqueries."""
    return _reach(tree.read(expr))


def _reach(node: tree.Node) -> float:
    return node.span_s + max((_reach(part) for part in node.parts), default=0.0)


def _durations(marks: list[Token], speed: Fraction, floor_ms: int) -> list[tuple[Token, str]]:
    texts = []
    slower = speed  # of the range that a step belongs to
    for mark in marks:
        if mark.role is Role.RANGE:
            written = _length_ms(mark.text)
            scaled = divided(written, speed, floor_ms=floor_ms)
            slower = Fraction(written, scaled) if scaled > round(written / speed) else speed
            texts.append((mark, text_of(scaled)))
        elif mark.role is Role.STEP:
            texts.append((mark, text_of(divided(_length_ms(mark.text), slower))))
        elif mark.role is Role.OFFSET:
            texts.append((mark, text_of(divided(_length_ms(mark.text), speed))))
    return texts


def _is_duration(text: str) -> bool:
    return text[-1] in "ywdhms" and not text.lower().startswith("0x")


def _length_ms(text: str) -> int:
    """Of a duration, or of a plain number of seconds, which newer Prometheus allows there."""
    return milliseconds(text) if _is_duration(text) else round(_value(text) * 1000)


def _value(text: str) -> float:
    """The value of a number in PromQL; a duration is its seconds."""
    if text.lower().startswith("0x"):
        return float(int(text, 16))
    if text[:1].isdigit() and _is_duration(text):
        return milliseconds(text) / 1000
    return float(text)


def _numbers(
    expr: str, found: tree.Node, marks: list[Token], seconds_in: hidden.Findings, speed: Fraction
) -> list[tuple[Token, str]]:
    operands = [mark for mark in marks if mark.role is Role.NUMBER]
    literals = [node for node in found.walk() if node.kind == "number"]
    refusals = list(seconds_in.refusals) + [
        f"`{mark.text}` is used as a plain number, and it is not clear whether it is lab time"
        for count, mark in enumerate(operands)
        if count not in seconds_in.numbers and mark.text[0].isdigit() and _is_duration(mark.text)
    ]
    if refusals:
        raise BadInput("; ".join(refusals) + ".", cure=AS_IT_IS)
    if not seconds_in.numbers:
        return []
    if [abs(node.value) for node in literals] != [_value(mark.text) for mark in operands]:
        raise BadInput(f"`{expr.strip()}`: its numbers were not found in its text.", cure=AS_IT_IS)
    return [(operands[at], _divided_text(operands[at].text, speed)) for at in seconds_in.numbers]


def _divided_text(text: str, speed: Fraction) -> str:
    value = _value(text)
    if value in (0, float("inf")) or value != value:
        return text
    scaled = float(Fraction(value) / speed)
    return str(int(scaled)) if scaled.is_integer() else repr(scaled)
