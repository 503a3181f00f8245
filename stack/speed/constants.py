"""Constant arithmetic in PromQL: its value, and which of its numbers to divide."""

from stack.speed.tree import Node


def strip(node: Node) -> Node:
    """The node inside any parentheses."""
    return strip(node.parts[0]) if node.kind == "paren" else node


def value(node: Node) -> float | None:
    """The value of constant arithmetic; None if it is not constant, or has no value (`1 / 0`)."""
    match node.kind:
        case "number":
            return node.value
        case "paren":
            return value(node.parts[0])
        case "call" if node.name in ("vector", "scalar") and node.parts:
            return value(node.parts[0])
        case "sign":
            inner = value(node.parts[0])
            return None if inner is None else -inner
        case "binary":
            left, right = map(value, node.parts)
            return None if left is None or right is None else _arithmetic(node.name, left, right)
    return None


def _arithmetic(operator: str, left: float, right: float) -> float | None:
    try:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
    except ArithmeticError:
        pass
    return None


def dividing(node: Node) -> frozenset[int] | None:
    """Which numbers to divide, by their count in the text, so that a constant is divided.

    Both terms of a sum, one factor of a product; None where that is not enough.
    """
    node = strip(node)
    if node.kind == "number":
        return frozenset([node.number])
    if node.kind == "sign" or (node.kind == "binary" and node.name == "/"):
        return dividing(node.parts[0])
    if node.kind == "binary" and node.name == "*":
        # `7 * 24 * 3600` becomes `7 * 24 * 60`: the largest factor most often divides evenly.
        return dividing(max(reversed(node.parts), key=lambda part: abs(value(part) or 0)))
    if node.kind == "binary" and node.name in {"+", "-"}:
        left, right = map(dividing, node.parts)
        return None if left is None or right is None else left | right
    return None
