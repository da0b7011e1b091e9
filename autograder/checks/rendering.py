"""A verdict as people read it: text for a terminal, a table for a notebook or a feedback page.

What comes from an answer is escaped; a verdict may quote anything that a student wrote.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from html import escape
from typing import Final

from autograder.checks.verdict import Outcome, Result, Role, Verdict

MARKS: Final = {
    Outcome.PASSED: "PASS",
    Outcome.PARTLY: "PART",
    Outcome.FAILED: "FAIL",
    Outcome.BLOCKED: "  - ",
    Outcome.NOT_RUN_THERE: "  - ",
    Outcome.COULD_NOT_BE_JUDGED: "  ? ",
}

#: The same marks for a page: a sign, and a colour that can be read on light and on dark.
SIGNS: Final = {
    Outcome.PASSED: ("✓", "#2e8b57"),
    Outcome.PARTLY: ("◐", "#c77700"),
    Outcome.FAILED: ("✗", "#d1383d"),
    Outcome.BLOCKED: ("–", "#888888"),
    Outcome.NOT_RUN_THERE: ("–", "#888888"),
    Outcome.COULD_NOT_BE_JUDGED: ("?", "#c77700"),
}

#: Characters of one quotation on a page; more is cut off.
QUOTED: Final = 1_000

_WIDTH: Final = 118
_LABEL: Final = "text-align: left; vertical-align: top; white-space: pre-wrap"
_CELL: Final = f"{_LABEL}; overflow-wrap: anywhere"  # where long names may be broken in a narrow window


def as_text(verdict: Verdict) -> str:
    """The verdict with a line for each check and, where one failed, what was wanted, found, where and why."""
    lines = [line for result in verdict.criteria for line in lines_of(result)]
    return "\n".join([*lines, f"{verdict.exercise}: {summary(verdict)}"])


def as_html(verdict: Verdict) -> str:
    """The verdict as a table with a row for each check: points, and for what was lost where, wanted, found and why."""
    heads = ("", "Check", "Points", "Result")
    head = "".join(f'<th scope="col" style="text-align: left">{name}</th>' for name in heads)
    rows = "".join(f"<tr>{''.join(_cells(result))}</tr>" for result in verdict.criteria)
    title = f"<strong>{escape(verdict.exercise)}</strong>: {escape(summary(verdict))}"
    return (
        f'<div class="autograder-verdict"><p>{title}</p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def summary(verdict: Verdict) -> str:
    """Points and status in a few words, none of them the student's."""
    return f"{verdict.earned} of {verdict.possible} points ({verdict.status.value})"


def points_of(result: Result) -> str:
    """What a check earned or cost; '' for one that is not about points."""
    if result.role is Role.CRITERION:
        return f"{result.earned}/{result.possible}"
    return str(result.earned) if result.role is Role.GUARD and result.earned < 0 else ""


def lines_of(result: Result) -> Iterator[str]:
    """One check of a verdict as text: its outcome and, if it was lost, what was wanted, found and why."""
    points = f" ({points_of(result)})" if points_of(result) else ""
    place = f"{result.where}: " if result.where else ""
    yield from _wrapped(f"{MARKS[result.outcome]} {result.name}{points}: {place}{result.message}", "", " " * 7)
    if result.is_lost:
        for label, text in (("wanted", result.wanted), ("found", result.found), ("why", result.why)):
            if text:
                yield from _wrapped(f"{label}: {text}", " " * 7, " " * 15)


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _cells(result: Result) -> Iterator[str]:
    sign, colour = SIGNS[result.outcome]
    outcome = escape(result.outcome.value)
    yield (
        f'<td style="color: {colour}; font-weight: bold; vertical-align: top" '
        f'title="{outcome}" aria-label="{outcome}">{sign}</td>'
    )
    yield _cell(_quoted(result.name), _LABEL)
    yield _cell(_quoted(points_of(result)), _LABEL)
    yield _cell(_quoted(result.message) + "".join(_details(result)))


def _details(result: Result) -> Iterator[str]:
    """What to know of a check that was lost, a line for each."""
    if not result.is_lost:
        return
    where = f"{result.where} {result.where.field}".strip() if result.where else ""
    quotes = (("where", where), ("wanted", result.wanted), ("found", result.found))
    for label, text in quotes:
        if text:
            yield f"<div><em>{label}</em> <code>{_quoted(text)}</code></div>"
    if result.why:
        yield f"<div><em>why</em> {_quoted(result.why)}</div>"


def _cell(content: str, style: str = _CELL) -> str:
    return f'<td style="{style}">{content}</td>'


def _quoted(text: str) -> str:
    text = text.strip()
    return escape(text if len(text) <= QUOTED else f"{text[:QUOTED]} …")
