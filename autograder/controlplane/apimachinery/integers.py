"""Integers in texts, as Go's ``strconv`` reads them in base 10, and in its words.

Digits are counted before they are converted: Python refuses to convert some thousands of them, and a text may have
more.
"""

from __future__ import annotations

import re
from typing import Final

from autograder.controlplane.apimachinery.field import quoted

_SIGNED: Final = re.compile("[+-]?[0-9]+", re.ASCII)
_UNSIGNED: Final = re.compile("[0-9]+", re.ASCII)
#: Digits that are always too many.
_TOO_MANY: Final = 21
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
_MOST_UNSIGNED: Final = 2**64 - 1


def parse(text: str, *, function: str = "ParseInt") -> int:
    """The integer of 64 bits that a text spells; ``ValueError`` as ``function`` of strconv words it."""
    if not _SIGNED.fullmatch(text):
        raise _refusal(function, text, "invalid syntax")
    number = _number(text)
    if not _LEAST <= number <= _MOST:
        raise _refusal(function, text, "value out of range")
    return number


def parse_unsigned(text: str) -> int:
    """The integer of 64 bits, without a sign, that a text spells; ``ValueError`` as ``ParseUint`` words it."""
    if not _UNSIGNED.fullmatch(text):
        raise _refusal("ParseUint", text, "invalid syntax")
    number = _number(text)
    if number > _MOST_UNSIGNED:
        raise _refusal("ParseUint", text, "value out of range")
    return number


def read(text: str) -> int | None:
    """The integer of 64 bits that a text spells; None for a text that spells none."""
    try:
        return parse(text)
    except ValueError:
        return None


def nearest(text: str) -> int:
    """The integer of 64 bits that is nearest to what a text spells; 0 for a text that spells none.

    It is what Go goes on with where it does not look at the error.
    """
    return min(max(_number(text), _LEAST), _MOST) if _SIGNED.fullmatch(text) else 0


def _number(text: str) -> int:
    """The number; of one with too many digits, the first digits."""
    number = int(text.lstrip("+-").lstrip("0")[:_TOO_MANY] or 0)
    return -number if text.startswith("-") else number


def _refusal(function: str, text: str, why: str) -> ValueError:
    return ValueError(f"strconv.{function}: parsing {quoted(text)}: {why}")
