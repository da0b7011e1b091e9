"""Cron schedules: five fields, or a descriptor such as ``@hourly``; read and followed as ``robfig/cron`` does.

That is the parser of the real CronJob controller; wrong schedules get its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from autograder.controlplane.apimachinery import durations, integers

_MONTHS: Final = {name: i for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS: Final = {name: i for i, name in enumerate("sun mon tue wed thu fri sat".split())}
#: The fields in order: least and greatest number, names.
_FIELDS: Final[tuple[tuple[int, int, dict[str, int]], ...]] = (
    (0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, _MONTHS), (0, 6, _DAYS),
)  # fmt: skip
_DESCRIPTORS: Final = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_EVERY: Final = "@every "
#: How far ahead a schedule is looked for; one that never comes (30 February) has no next time.
_HORIZON: Final = timedelta(days=5 * 366)
#: After which nothing is looked for: the calendar ends with 9999, and an interval is at most 292 years long.
_LAST_YEAR: Final = 9700


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due; ``every`` is set for ``@every`` schedules, which know no calendar."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = False
    any_weekday: bool = False
    every: timedelta | None = None

    def next(self, after: datetime) -> datetime | None:
        """The first time after ``after``, in its time zone; None when there is none within five years, or ever."""
        if after.year > _LAST_YEAR:
            return None
        if self.every is not None:
            return after.replace(microsecond=0) + self.every
        moment = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = after + _HORIZON
        while moment < end:
            if moment.month not in self.months or not self._is_day(moment):
                moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
            elif moment.hour not in self.hours:
                moment = moment.replace(minute=0) + timedelta(hours=1)
            elif moment.minute not in self.minutes:
                moment += timedelta(minutes=1)
            else:
                return moment
        return None

    def _is_day(self, moment: datetime) -> bool:
        """Where both the day of the month and of the week are given, one of them is enough."""
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return day and weekday if self.any_day or self.any_weekday else day or weekday


@lru_cache(maxsize=256)
def parse(text: str) -> Schedule:
    """The schedule that the text spells. Raises ValueError in the words of the real parser."""
    if not text:
        raise ValueError("empty spec string")
    if text.startswith(("TZ=", "CRON_TZ=")):
        _, blank, rest = text.partition(" ")
        if not blank:
            raise ValueError("invalid schedule format: runtime error: slice bounds out of range [:-1]")
        text = rest.strip()
    if text.startswith("@"):
        return _descriptor(text)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]")
    minutes, hours, days, months, weekdays = (
        _field(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True)
    )
    return Schedule(minutes[0], hours[0], days[0], months[0], weekdays[0], any_day=days[1], any_weekday=weekdays[1])


def _descriptor(text: str) -> Schedule:
    if text in _DESCRIPTORS:
        return parse(_DESCRIPTORS[text])
    if not text.startswith(_EVERY):
        raise ValueError(f"unrecognized descriptor: {text}")
    try:
        interval = durations.parse(text.removeprefix(_EVERY))
    except ValueError as error:
        raise ValueError(f"failed to parse duration {text}: {error}") from None
    return Schedule(every=timedelta(seconds=max(1, interval // durations.SECOND)))


def _field(text: str, low: int, high: int, names: dict[str, int]) -> tuple[frozenset[int], bool]:
    """The numbers that a field admits, and whether it is ``*``."""
    numbers: set[int] = set()
    star = False
    for part in filter(None, text.split(",")):
        found, is_star = _range(part, low, high, names)
        numbers.update(found)
        star |= is_star
    return frozenset(numbers), star


def _range(text: str, low: int, high: int, names: dict[str, int]) -> tuple[range, bool]:
    span, *steps = text.split("/")
    first, *more = span.split("-")
    star = first in ("*", "?")
    if star:
        start, end = low, high
    else:
        start = end = _number(first, names)
        if len(more) == 1:
            end = _number(more[0], names)
        elif more:
            raise ValueError(f"too many hyphens: {text}")
    step = 1
    if len(steps) == 1:
        step = _number(steps[0], {})
        if not more:
            end = high
        star = star and step == 1
    elif steps:
        raise ValueError(f"too many slashes: {text}")
    if start < low:
        raise ValueError(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise ValueError(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")
    return range(start, end + 1, step), star


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    try:
        number = integers.parse(text, function="Atoi")
    except ValueError as error:
        raise ValueError(f"failed to parse int from {text}: {error}") from None
    if number < 0:
        raise ValueError(f"negative number ({number}) not allowed: {text}")
    return number
