"""Binary operators on two numbers: Go's floating point, and Loki's NaN for x / 0."""

import math
import operator
from collections.abc import Callable

SET_OPERATIONS = {"and", "or", "unless"}


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan


def _modulo(left: float, right: float) -> float:
    if not right or math.isinf(left):
        return math.nan
    return math.fmod(left, right)


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and right % 2 == 1 else math.inf
    except ValueError:  # a negative base with a fractional exponent, or 0 with a negative one
        return math.nan if left else math.inf


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
    "^": _power,
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def of_numbers(op: str, left: float, right: float) -> float:
    """The value of `left op right`; a comparison gives 1 or 0."""
    if op in COMPARISONS:
        return float(COMPARISONS[op](left, right))
    return ARITHMETIC[op](left, right)
