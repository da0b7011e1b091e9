"""Times as the API writes them: whole seconds (``Time``) or microseconds (``MicroTime``), in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

_MICROSECONDS = 1_000_000


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def time(micros: int) -> str:
    """``metav1.Time``: 2026-01-01T09:00:00Z.  Takes microseconds since the epoch; fractions are cut."""
    return _second(micros // _MICROSECONDS) + "Z"


def micro_time(micros: int) -> str:
    """``metav1.MicroTime``: 2026-01-01T09:00:00.000000Z."""
    return f"{_second(micros // _MICROSECONDS)}.{micros % _MICROSECONDS:06d}Z"


@lru_cache(maxsize=4096)
def parse(text: str) -> int:
    """Microseconds since the epoch of an RFC 3339 time; ``ValueError`` when it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return round(moment.timestamp() * _MICROSECONDS)


def span(seconds: int) -> int:
    """Seconds in microseconds, as Go has durations: in nanoseconds of 64 bits, beyond which they wrap around."""
    nanoseconds = (seconds * 10**9 + 2**63) % 2**64 - 2**63
    return nanoseconds // 10**9 * _MICROSECONDS
