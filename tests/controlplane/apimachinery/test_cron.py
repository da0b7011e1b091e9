"""Cron schedules: when they are due, and the words for wrong ones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from autograder.controlplane.apimachinery import cron

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("* * * * *", datetime(2026, 3, 4, 12, 1, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 3, 4, 12, 15, tzinfo=UTC)),
        ("0 3 * * *", datetime(2026, 3, 5, 3, 0, tzinfo=UTC)),
        ("30 6 1 jan *", datetime(2027, 1, 1, 6, 30, tzinfo=UTC)),
        ("0 0 * * sun", datetime(2026, 3, 8, tzinfo=UTC)),
        ("0 0 13 * 5", datetime(2026, 3, 6, tzinfo=UTC)),
        ("@hourly", datetime(2026, 3, 4, 13, 0, tzinfo=UTC)),
        ("@every 90s", datetime(2026, 3, 4, 12, 2, tzinfo=UTC)),
        ("5/20 0 * * *", datetime(2026, 3, 5, 0, 5, tzinfo=UTC)),
    ],
)
def test_the_next_time(schedule: str, due: datetime) -> None:
    assert cron.parse(schedule).next(NOON) == due


def test_a_day_that_never_comes() -> None:
    assert cron.parse("0 0 30 2 *").next(NOON) is None


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("Bogus", "expected exactly 5 fields, found 1: [Bogus]"),
        ("0 3 * * * x", "expected exactly 5 fields, found 6: [0 3 * * * x]"),
        ("-0 3 * * *", 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'),
        (
            "99999999999999999999 * * * *",
            (
                "failed to parse int from 99999999999999999999: strconv.Atoi: parsing "
                '"99999999999999999999": value out of range'
            ),
        ),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("9-3 * * * *", "beginning of range (9) beyond end of range (3): 9-3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("@every 5", 'failed to parse duration @every 5: time: missing unit in duration "5"'),
        ("@every 9999999h", 'failed to parse duration @every 9999999h: time: invalid duration "9999999h"'),
        ("@often", "unrecognized descriptor: @often"),
        ("", "empty spec string"),
    ],
)
def test_wrong_schedules_get_the_words_of_the_real_parser(schedule: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        cron.parse(schedule)
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ["@every -5m", "@every 0", "@every 1ms"])
def test_what_comes_most_often_comes_every_second(text: str) -> None:
    assert cron.parse(text).every == timedelta(seconds=1)


def test_zeros_before_a_number_change_nothing() -> None:
    assert cron.parse(f"{'0' * 30}5 * * * *") == cron.parse("5 * * * *")
