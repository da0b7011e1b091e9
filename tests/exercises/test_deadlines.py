"""A limit on wall time reaches code that does not ask for the time, and nothing behind it."""

from __future__ import annotations

import time

import pytest

from autograder.exercises.deadlines import TimedOut, deadline


def work(seconds: float) -> int:
    """Be busy without ever asking for the limit."""
    end = time.perf_counter() + seconds
    rounds = 1
    while time.perf_counter() < end:
        rounds += 1
    return rounds


def test_code_that_never_ends_is_stopped() -> None:
    with pytest.raises(TimedOut), deadline(0.05):
        work(100)


def test_what_ends_in_time_is_left_alone() -> None:
    with deadline(60):
        assert work(0.01)


def test_it_is_no_error_that_code_could_take_for_one_of_its_own() -> None:
    with pytest.raises(TimedOut), deadline(0.05):
        while True:
            try:
                work(0.01)
            except Exception:
                pytest.fail("caught")


def test_an_alarm_at_the_very_end_does_not_go_off_later() -> None:
    for _ in range(50):
        try:
            with deadline(0.002):
                work(0.002)
        except TimedOut:
            pass
        assert work(0.001)
