"""A verdict as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from autograder.checks import Outcome, Result, Role, Verdict

MARKS = {
    Outcome.PASSED: "PASS",
    Outcome.PARTLY: "PART",
    Outcome.FAILED: "FAIL",
    Outcome.BLOCKED: "  - ",
    Outcome.NOT_RUN_THERE: "  - ",
    Outcome.COULD_NOT_BE_JUDGED: "  ? ",
}


def as_text(verdict: Verdict) -> str:
    """The verdict with a line for each check and, where one failed, what was wanted, found, where and why."""
    lines = [line for result in verdict.criteria for line in _lines(result)]
    total = f"{verdict.exercise}: {verdict.earned} of {verdict.possible} points ({verdict.status.value})"
    return "\n".join([*lines, total])


def _lines(result: Result) -> Iterator[str]:
    points = f" ({result.earned}/{result.possible})" if result.role is Role.CRITERION else ""
    if result.role is Role.GUARD and result.earned < 0:
        points = f" ({result.earned})"
    place = f"{result.where}: " if result.where else ""
    yield from textwrap.wrap(
        f"{MARKS[result.outcome]} {result.name}{points}: {place}{result.message}", 118, subsequent_indent=" " * 7,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    if result.outcome in (Outcome.FAILED, Outcome.PARTLY):
        for label, text in (("wanted", result.wanted), ("found", result.found), ("why", result.why)):
            if text and not result.message.endswith(text):
                yield from textwrap.wrap(
                    f"{label}: {text}", 118, initial_indent=" " * 7, subsequent_indent=" " * 15,
                    break_long_words=False, break_on_hyphens=False,
                )  # fmt: skip
