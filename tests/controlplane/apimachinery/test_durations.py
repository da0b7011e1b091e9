"""Durations are read and refused as Go's time.ParseDuration does."""

from __future__ import annotations

import re

import pytest

from autograder.controlplane.apimachinery import durations
from autograder.controlplane.apimachinery.durations import SECOND


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("-0", 0),
        ("5m", 300 * SECOND),
        ("+1h30m", 5400 * SECOND),
        ("-1.5s", -3 * SECOND // 2),
        (".5ms", 500_000),
        ("1.h", 3600 * SECOND),
        ("3µs", 3000),
        ("3μs", 3000),
        ("0000000000000000000000001s", SECOND),
        ("9223372036854775807ns", 2**63 - 1),
    ],
)
def test_durations_are_read(text: str, nanoseconds: int) -> None:
    assert durations.parse(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(
            (text, f'invalid duration "{text}"')
            for text in ("", "-", "h", ".h", "--1s", "9223372036854775808ns", "9" * 5000 + "h")
        ),
        ("5", 'missing unit in duration "5"'),
        ("1h1", 'missing unit in duration "1h1"'),
        ("5x", 'unknown unit "x" in duration "5x"'),
        ("1h 1m", 'unknown unit "h " in duration "1h 1m"'),
        ("1é", r'unknown unit "\xc3\xa9" in duration "1\xc3\xa9"'),
    ],
)
def test_other_texts_are_refused_in_the_words_of_go(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^time: {re.escape(why)}$"):
        durations.parse(text)
