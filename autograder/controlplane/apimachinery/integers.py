"""Integers in texts, as Go's ``strconv.ParseInt`` reads them in base 10 and 64 bits, and in its words."""

from __future__ import annotations

import re
from typing import Final

from autograder.controlplane.apimachinery.field import quoted

_FORM: Final = re.compile("[+-]?[0-9]+", re.ASCII)
#: Digits that are always too many.
_TOO_MANY: Final = 20
_BEYOND: Final = 2**63


def parse(text: str) -> int:
    """The integer; ``ValueError`` with what Go says of a text that is none, or of one that 64 bits do not hold."""
    if not _FORM.fullmatch(text):
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    number = int(text.lstrip("+-").lstrip("0")[:_TOO_MANY] or 0)
    if text.startswith("-"):
        number = -number
    if not -_BEYOND <= number < _BEYOND:
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return number
