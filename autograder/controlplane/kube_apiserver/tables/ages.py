"""Ages as ``kubectl get`` shows them: ``45s``, ``2m10s``, ``5h3m``, ``3d``.

Source of the rules: apimachinery/pkg/util/duration.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

SECOND: Final = 1_000_000
MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
YEAR: Final = 365 * DAY

UNKNOWN: Final = "<unknown>"


@lru_cache(maxsize=4096)
def micros(timestamp: str) -> int:
    """An RFC 3339 time in UTC as microseconds since the Unix epoch."""
    moment = datetime.fromisoformat(timestamp)
    return round((moment - _UNIX_EPOCH).total_seconds() * SECOND)


def age(timestamp: str | None, now: int) -> str:
    """The time since ``timestamp`` at ``now`` (microseconds), or ``<unknown>`` when there is none."""
    return human(now - micros(timestamp)) if timestamp else UNKNOWN


def between(start: str, end: str) -> str:
    """The time from one timestamp to another."""
    return human(micros(end) - micros(start))


def human(duration: int) -> str:
    """A duration in microseconds with two or three significant figures; a clock may be a second behind."""
    seconds = abs(duration) // SECOND
    if duration < 0:
        return "<invalid>" if seconds > 1 else "0s"
    if seconds < 2 * MINUTE:
        return f"{seconds}s"
    if seconds < 10 * MINUTE:
        return _pair(seconds, MINUTE, "m", 1, "s")
    if seconds < 3 * HOUR:
        return f"{seconds // MINUTE}m"
    if seconds < 8 * HOUR:
        return _pair(seconds, HOUR, "h", MINUTE, "m")
    if seconds < 2 * DAY:
        return f"{seconds // HOUR}h"
    if seconds < 8 * DAY:
        return _pair(seconds, DAY, "d", HOUR, "h")
    if seconds < 2 * YEAR:
        return f"{seconds // DAY}d"
    if seconds < 8 * YEAR:
        return _pair(seconds, YEAR, "y", DAY, "d")
    return f"{seconds // YEAR}y"


def _pair(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    """Two units, the second one left out when it is nothing: ``2m10s``, ``3m``."""
    rest = seconds % large // small
    return f"{seconds // large}{large_unit}" + (f"{rest}{small_unit}" if rest else "")


_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
