"""Ages as ``kubectl get`` shows them: ``45s``, ``2m10s``, ``5h3m``, ``3d``.

Source of the rules: apimachinery/pkg/util/duration.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.clock import SECOND

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
YEAR: Final = 365 * DAY

UNKNOWN: Final = "<unknown>"


def age(timestamp: str | None, now: int) -> str:
    """The time since ``timestamp`` at ``now`` (microseconds), or ``<unknown>`` when there is none."""
    return human(now - timestamps.parse(timestamp)) if timestamp else UNKNOWN


def between(start: str, end: str) -> str:
    """The time from one timestamp to another."""
    return human(timestamps.parse(end) - timestamps.parse(start))


def human(duration: int) -> str:
    """A duration in microseconds with two or three significant figures; a clock may be a second behind."""
    seconds = abs(duration) // SECOND
    if duration < 0:
        return "<invalid>" if seconds > 1 else "0s"
    return next(shown(seconds) for limit, shown in _SHOWN if seconds < limit)


def _pair(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    """Two units, the second one left out when it is nothing: ``2m10s``, ``3m``."""
    rest = seconds % large // small
    return f"{seconds // large}{large_unit}" + (f"{rest}{small_unit}" if rest else "")


#: Durations below so many seconds are shown so.
_SHOWN: Final[tuple[tuple[float, Callable[[int], str]], ...]] = (
    (2 * MINUTE, lambda seconds: f"{seconds}s"),
    (10 * MINUTE, lambda seconds: _pair(seconds, MINUTE, "m", 1, "s")),
    (3 * HOUR, lambda seconds: f"{seconds // MINUTE}m"),
    (8 * HOUR, lambda seconds: _pair(seconds, HOUR, "h", MINUTE, "m")),
    (2 * DAY, lambda seconds: f"{seconds // HOUR}h"),
    (8 * DAY, lambda seconds: _pair(seconds, DAY, "d", HOUR, "h")),
    (2 * YEAR, lambda seconds: f"{seconds // DAY}d"),
    (8 * YEAR, lambda seconds: _pair(seconds, YEAR, "y", DAY, "d")),
    (math.inf, lambda seconds: f"{seconds // YEAR}y"),
)
