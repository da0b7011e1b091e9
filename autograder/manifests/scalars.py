"""What a plain YAML scalar means to kubectl.

kubectl reads YAML with Go's yaml v2 rules (YAML 1.1 with exceptions) and turns it into JSON: ``yes``, ``on`` and
``y`` are true, ``010`` is 8, ``1:30`` and dates stay text, ``1.0`` becomes 1, and keys become strings. PyYAML's own
rules differ, so that its resolver is not used. The facts were taken from kubectl's answers.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Any, Final

Scalar = str | int | float | bool | None

_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_NUMBER_START: Final = frozenset("+-.0123456789")
_INTEGERS: Final = (
    (re.compile(r"[-+]?0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"[-+]?0[bB]([01]+)"), 2),
    (re.compile(r"[-+]?0[oO]?([0-7]+)"), 8),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), 10),
)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_INTEGER: Final = 70  # characters: 64 binary digits with sign and prefix
_INT64: Final = range(-(1 << 63), 1 << 63)
_UINT64_END: Final = 1 << 64
_FLOAT32_MAX: Final = 3.4028235e38


def resolve(text: str) -> Scalar:
    """The value of a scalar written without quotes, before it becomes JSON."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    plain = text.replace("_", "") if text[0] != "." else text
    integer = _integer(plain)
    if integer is not None:
        return integer
    if _FLOAT.fullmatch(plain):
        number = float(plain)
        return text if math.isinf(number) else number
    return text


def as_json_number(number: int | float) -> int | float:
    """The number as Kubernetes holds it: an integer if it is whole and fits 64 bits with sign, or a float.

    A whole float goes through JSON in its shortest form, so that 4611686018427387904.0 ends as 4611686018427388000.
    """
    if isinstance(number, int):
        return number if number in _INT64 else float(number)
    if not number.is_integer() or abs(number) >= _UINT64_END:
        return number
    mantissa, _, exponent = repr(number).partition("e")
    digits, _, fraction = mantissa.partition(".")
    whole = int(digits + fraction) * 10 ** int(exponent) // 10 ** len(fraction) if exponent else int(digits)
    return whole if whole in _INT64 else number


def key_text(key: Any) -> str | None:
    """The name of the field that a key stands for, or ``None`` where Kubernetes accepts no such key."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key) if key in _INT64 else None
    if isinstance(key, float):
        return _go_float32(key)
    return None


def _integer(plain: str) -> int | None:
    """The integer that ``plain`` is written as, or ``None`` if it is none or more than Go's 64 bits hold."""
    if len(plain) > _LONGEST_INTEGER:
        return None
    for pattern, base in _INTEGERS:
        match = pattern.fullmatch(plain)
        if match:
            number = int(match[1], base)
            if plain[0] == "-":
                number = -number
            return number if _INT64.start <= number < _UINT64_END else None
    return None


def _go_float32(number: float) -> str:
    """The shortest text that gives this 32 bit float, in Go's ``%g`` form."""
    if math.isnan(number):
        return ".nan"
    if abs(number) > _FLOAT32_MAX:
        return ".inf" if number > 0 else "-.inf"
    text = ""
    digits = 0
    for digits in range(9):
        text = f"{number:.{digits}e}"
        if struct.pack("f", float(text)) == struct.pack("f", number):
            break
    exponent = int(text.partition("e")[2])
    return text if not -4 <= exponent < 6 else f"{float(text):.{max(0, digits - exponent)}f}"
