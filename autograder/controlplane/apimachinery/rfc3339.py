"""Times that clients send: RFC 3339 texts of any zone, as Go's ``time.Parse`` reads them, and in its words.

The API writes them in UTC, in whole seconds (``Time``) or microseconds (``MicroTime``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_LAYOUT: Final = "2006-01-02T15:04:05Z07:00"
_MICRO_LAYOUT: Final = "2006-01-02T15:04:05.000000Z07:00"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: What Go reads one after the other: the element of its layout, and what it matches.
_STEPS: Final = (
    ("2006", re.compile(r"\d{4}", re.ASCII)),
    ("-", re.compile("-")),
    ("01", re.compile(r"\d{2}", re.ASCII)),
    ("-", re.compile("-")),
    ("02", re.compile(r"\d{2}", re.ASCII)),
    ("T", re.compile("T")),
    ("15", re.compile(r"\d{2}", re.ASCII)),
    (":", re.compile(":")),
    ("04", re.compile(r"\d{2}", re.ASCII)),
    (":", re.compile(":")),
    ("05", re.compile(r"\d{2}(?:[.,]\d+)?", re.ASCII)),
    ("Z07:00", re.compile(r"Z|[+-]\d{2}:\d{2}", re.ASCII)),
)
_MICRO_STEPS: Final = (
    *_STEPS[:10],
    ("05", re.compile(r"\d{2}", re.ASCII)),
    (".000000", re.compile(r"[.,]\d{6}", re.ASCII)),
    _STEPS[11],
)
_LIMITS: Final = (("01", "month", 1, 12), ("15", "hour", 0, 23), ("04", "minute", 0, 59), ("05", "second", 0, 59))


def canonical(text: str) -> str:
    """The time in UTC and whole seconds, e.g. ``2024-05-01T10:00:00Z``. Raises ValueError as Go words it."""
    return f"{_parse(text, _LAYOUT, _STEPS).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def canonical_micro(text: str) -> str:
    """The time in UTC with six decimals, e.g. ``2024-05-01T10:00:00.000000Z``. Raises ValueError as Go words it."""
    return f"{_parse(text, _MICRO_LAYOUT, _MICRO_STEPS).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def microseconds(text: str) -> int:
    """The microseconds since the epoch at that time. Raises ValueError as Go words it."""
    return (_parse(text, _LAYOUT, _STEPS) - _EPOCH) // timedelta(microseconds=1)


def _parse(text: str, layout: str, steps: tuple[tuple[str, re.Pattern[str]], ...]) -> datetime:
    found: dict[str, str] = {}
    rest = text
    for element, pattern in steps:
        match = pattern.match(rest)
        if match is None:
            raise ValueError(f'parsing time {quoted(text)} as "{layout}": cannot parse {quoted(rest)} as "{element}"')
        found[element] = match[0]
        rest = rest[match.end() :]
        for limited, name, low, high in _LIMITS:
            if element == limited and not low <= int(match[0][:2]) <= high:
                raise ValueError(f"parsing time {quoted(text)}: {name} out of range")
    if rest:
        raise ValueError(f"parsing time {quoted(text)}: extra text: {quoted(rest)}")
    fraction = (found["05"][3:] or found.get(".000000", "")[1:]).ljust(6, "0")[:6]
    try:
        moment = datetime(
            int(found["2006"]), int(found["01"]), int(found["02"]),
            int(found["15"]), int(found["04"]), int(found["05"][:2]), int(fraction), UTC,
        )  # fmt: skip
        return moment - _offset(found["Z07:00"])
    except (ValueError, OverflowError) as error:
        raise ValueError(f"parsing time {quoted(text)}: day out of range") from error


def _offset(zone: str) -> timedelta:
    if zone == "Z":
        return timedelta(0)
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return -size if zone[0] == "-" else size


def quoted(text: str) -> str:
    """The text as Go's package ``time`` quotes it: what is not printable ASCII byte by byte."""
    return '"' + "".join(_shown(byte) for byte in text.encode()) + '"'


def _shown(byte: int) -> str:
    char = chr(byte)
    if char in '"\\':
        return "\\" + char
    return char if 0x20 <= byte < 0x80 else f"\\x{byte:02x}"
