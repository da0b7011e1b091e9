"""Entries of a verdict that are no checks of the exercise: what could not be read, and what was refused."""

from __future__ import annotations

from typing import Final

from autograder.checks import Outcome, Result, Role, Where
from autograder.checks.findings import cut
from autograder.manifests import Problem, render_path

READABLE: Final = "readable"
ACCEPTED: Final = "accepted"
WHY_READABLE: Final = "Only what can be read can be sent to a cluster."
WHY_CONFINED: Final = "An answer touches what its exercise is about, and nothing else."
WHY_ACCEPTED: Final = "The API server checks every object before it stores it; what it refuses never exists."
WHY_IN_TIME: Final = "A judgement has a limit, so that nobody waits for ever."
WHY_RAN: Final = "A command that fails changes nothing; what it prints says why."


def entry(
    name: str, message: str, why: str, *, where: Where | None = None, outcome: Outcome = Outcome.FAILED
) -> Result:
    """An entry that is about no points."""
    return Result(name, Role.GATE, outcome, 0, 0, cut(message), where=where, why=why)


def unreadable(problem: Problem) -> Result:
    """What cannot be read."""
    return entry(READABLE, message_of(problem), WHY_READABLE, where=where_of(problem))


def message_of(problem: Problem) -> str:
    """A problem in one line, without its position."""
    hint = f"; {problem.hint}" if problem.hint else ""
    path = render_path(problem.path)
    return (f"{path}: " if path else "") + problem.message + hint


def where_of(problem: Problem) -> Where | None:
    """The place of a problem, if it has one."""
    return Where(*problem.position, field=render_path(problem.path)) if problem.position else None
