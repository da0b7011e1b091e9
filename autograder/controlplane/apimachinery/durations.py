"""Durations in texts, such as ``1h30m``, as Go's ``time.ParseDuration`` reads them, and in its words."""

from __future__ import annotations

import re
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.apimachinery.rfc3339 import quoted

SECOND: Final = 10**9
_UNITS: Final = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND,
}  # fmt: skip
_PART: Final = re.compile(r"(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?(?P<unit>[^0-9.]*)")
#: Digits of a fraction that count.
_FRACTION: Final = 18
_MOST: Final = 2**63 - 1


def parse(text: str) -> int:
    """The nanoseconds that a text spells; ``ValueError`` for a text that is no duration of 64 bits."""
    rest = text[1:] if text.startswith(("-", "+")) else text
    if rest == "0":
        return 0
    parts = [part for part in _PART.finditer(rest) if part[0]]
    total = sum(_nanoseconds(part, text) for part in parts)
    if not parts or total > _MOST:
        raise _invalid(text)
    return -total if text.startswith("-") else total


def _nanoseconds(part: re.Match[str], text: str) -> int:
    """What a number and its unit stand for; ``text`` is the whole duration, for messages."""
    whole, fraction, unit = part["whole"], (part["fraction"] or "")[:_FRACTION], part["unit"]
    number = integers.read(whole or "0")
    if number is None or not (whole or fraction):
        raise _invalid(text)
    if not unit:
        raise ValueError(f"time: missing unit in duration {quoted(text)}")
    if unit not in _UNITS:
        raise ValueError(f"time: unknown unit {quoted(unit)} in duration {quoted(text)}")
    return number * _UNITS[unit] + int(fraction or 0) * _UNITS[unit] // 10 ** len(fraction)


def _invalid(text: str) -> ValueError:
    return ValueError(f"time: invalid duration {quoted(text)}")
