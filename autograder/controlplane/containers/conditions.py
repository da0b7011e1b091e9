"""The command ``test``, which is also called ``[``: conditions on files, texts and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.containers.calls import Call, Outcome
from autograder.controlplane.containers.text_applets import read


def test(call: Call) -> Outcome:
    """``test`` and ``[``: 0 if a condition holds, 1 if it does not, 2 if it is none."""
    words = list(call.args)
    if call.argv[0].endswith("["):
        if not words or words.pop() != "]":
            return call.fail("missing ]", 2)
    try:
        return 0 if _condition(call, words) else 1
    except ValueError as error:
        return call.fail(str(error), 2)


def _condition(call: Call, words: list[str]) -> bool:
    """Whether a condition holds; raises ``ValueError`` for what is none."""
    for operator, combine in (("-o", any), ("-a", all)):
        if operator in words[1:-1] and len(words) > 3:
            at = words.index(operator, 1)
            return combine((_condition(call, words[:at]), _condition(call, words[at + 1 :])))
    if not words:
        return False
    if words[0] == "!" and len(words) > 1:
        return not _condition(call, words[1:])
    if len(words) == 1:
        return bool(words[0])
    if len(words) == 2:
        return _unary(call, *words)
    if len(words) == 3:
        return _binary(*words)
    raise ValueError("too many arguments")


def _unary(call: Call, operator: str, operand: str) -> bool:
    if operator not in _UNARY:
        raise ValueError(f"{operator}: unknown operand")
    return _UNARY[operator](call, operand)


def _binary(left: str, operator: str, right: str) -> bool:
    if operator in _TEXT:
        return _TEXT[operator](left, right)
    if operator not in _NUMBERS:
        raise ValueError(f"{operator}: unknown operand")
    return _NUMBERS[operator](_number(left), _number(right))


def _number(text: str) -> int:
    number = integers.read(text.strip())
    if number is None:
        raise ValueError(f"invalid number '{text}'")
    return number


_UNARY: Final[dict[str, Callable[[Call, str], bool]]] = {
    "-z": lambda call, text: not text,
    "-n": lambda call, text: bool(text),
    "-e": lambda call, text: call.system.files.exists(call.path(text)),
    "-f": lambda call, text: call.system.files.is_file(call.path(text)),
    "-d": lambda call, text: call.system.files.is_directory(call.path(text)),
    "-r": lambda call, text: call.system.files.exists(call.path(text)),
    "-x": lambda call, text: call.system.files.exists(call.path(text)),
    "-w": lambda call, text: call.system.files.is_writable(call.path(text)),
    "-s": lambda call, text: call.system.files.is_file(call.path(text)) and bool(read(call, text)),
}
_TEXT: Final[dict[str, Callable[[str, str], bool]]] = {
    "=": lambda a, b: a == b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip
_NUMBERS: Final[dict[str, Callable[[int, int], bool]]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b, "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b,
}  # fmt: skip
