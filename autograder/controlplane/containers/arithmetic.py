"""Integer arithmetic of the shell, ``$((...))``: C's operators and precedence on 64-bit numbers."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Final

MAX_LENGTH: Final = 500
MAX_DEPTH: Final = 20

_TOKEN: Final = re.compile(r"\s*(?:(\d+)|([A-Za-z_]\w*)|(<=|>=|==|!=|&&|\|\||<<|>>|[-+*/%<>!~&|^?:()]))", re.ASCII)

Operation = Callable[[int, int], int]


class BadExpression(Exception):
    """The expression cannot be calculated; the message is what a shell says."""


def _divide(a: int, b: int) -> int:
    if b == 0:
        raise BadExpression("divide by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: int, b: int) -> int:
    return a - b * _divide(a, b)


def _truth(compare: Callable[[int, int], bool]) -> Operation:
    return lambda a, b: int(compare(a, b))


#: Operators from the loosest to the tightest binding.
_LEVELS: Final[tuple[dict[str, Operation], ...]] = (
    {"||": lambda a, b: int(bool(a or b))},
    {"&&": lambda a, b: int(bool(a and b))},
    {"|": operator.or_},
    {"^": operator.xor},
    {"&": operator.and_},
    {"==": _truth(operator.eq), "!=": _truth(operator.ne)},
    {"<": _truth(operator.lt), ">": _truth(operator.gt), "<=": _truth(operator.le), ">=": _truth(operator.ge)},
    {"<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63)},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": _divide, "%": _remainder},
)
_UNARY: Final[dict[str, Callable[[int], int]]] = {
    "-": operator.neg, "+": operator.pos, "!": lambda a: int(not a), "~": operator.invert,
}  # fmt: skip


def calculate(text: str, variables: Mapping[str, str]) -> int:
    """The value of an expression; a name is its variable's number, or 0.  Raises ``BadExpression``."""
    if len(text) > MAX_LENGTH:
        raise BadExpression("expression too long")
    tokens: list[str] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadExpression("arithmetic syntax error")
        number, name, symbol = match.groups()
        tokens.append(number or symbol or _number(variables.get(name, "")))
        at = match.end()
    if not tokens:
        return 0
    reader = _Reader(tokens)
    value = reader.expression()
    if reader.tokens:
        raise BadExpression("arithmetic syntax error")
    return value


def _number(text: str) -> str:
    return text if re.fullmatch(r"-?\d{1,19}", text, re.ASCII) else "0"


class _Reader:
    """Recursive descent over the tokens, which are used up from the front."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens[::-1]
        self._depth = 0

    def expression(self) -> int:
        value = self._level(0)
        if self._peek() != "?":
            return value
        self.tokens.pop()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadExpression("nested too deeply")
        yes = self.expression()
        self._expect(":")
        no = self.expression()
        return yes if value else no

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        value = self._level(level + 1)
        while (operation := _LEVELS[level].get(self._peek())) is not None:
            self.tokens.pop()
            value = _wrapped(operation(value, self._level(level + 1)))
        return value

    def _unary(self) -> int:
        token = self._peek()
        if not token:
            raise BadExpression("arithmetic syntax error")
        self.tokens.pop()
        if token in _UNARY:
            signs = [token]
            while self._peek() in _UNARY:
                signs.append(self.tokens.pop())
            value = self._unary()
            for sign in reversed(signs):
                value = _wrapped(_UNARY[sign](value))
            return value
        if token == "(":
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise BadExpression("nested too deeply")
            value = self.expression()
            self._expect(")")
            self._depth -= 1
            return value
        if token.lstrip("-").isdigit():
            return _wrapped(int(token))
        raise BadExpression("arithmetic syntax error")

    def _expect(self, token: str) -> None:
        if self._peek() != token:
            raise BadExpression("arithmetic syntax error")
        self.tokens.pop()

    def _peek(self) -> str:
        return self.tokens[-1] if self.tokens else ""


def _wrapped(value: int) -> int:
    """The value as 64 bits hold it."""
    return (value + 2**63) % 2**64 - 2**63
