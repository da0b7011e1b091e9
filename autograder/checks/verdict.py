"""What a judgement says: points for each criterion, and for each what was wanted, found, where, and why it matters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Status(Enum):
    """What became of an answer.  Only ``GRADED`` means that its points are a judgement of what it says.

    ``TAMPERED`` is said of a whole submission, beside its points: they are for what it was before it was altered.
    """

    GRADED = "graded"
    NOT_SUBMITTED = "not submitted"
    UNREADABLE = "unreadable"
    COULD_NOT_BE_JUDGED = "could not be judged"
    TIMED_OUT = "timed out"
    TAMPERED = "tampered"
    NOT_RUN_THERE = "not run there"


class Outcome(Enum):
    """What became of one check."""

    PASSED = "passed"
    PARTLY = "partly passed"
    FAILED = "failed"
    BLOCKED = "not looked at, since a gate before it failed"
    NOT_RUN_THERE = "not run there"
    COULD_NOT_BE_JUDGED = "could not be judged"


class Role(Enum):
    """What a check is for.  A gate and a guard earn nothing; a violated guard costs."""

    GATE = "gate"
    CRITERION = "criterion"
    GUARD = "guard"


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the answer: line and column count from 1; ``field`` is the path as Kubernetes writes it."""

    file: str
    line: int
    column: int
    field: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def to_json(self) -> dict[str, Any]:
        """The place as plain data."""
        return {"file": self.file, "line": self.line, "column": self.column, "field": self.field}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Where:
        """The place that ``to_json`` wrote."""
        return cls(given["file"], given["line"], given["column"], given["field"])


@dataclass(frozen=True, slots=True)
class Result:
    """One check's part of the verdict.

    ``message`` is never empty.  ``wanted`` and ``found`` are None where there is nothing to quote, or where quoting
    would give the answer away.  ``earned`` is negative for a guard that was violated.
    """

    name: str
    role: Role
    outcome: Outcome
    earned: float
    possible: float
    message: str
    wanted: str | None = None
    found: str | None = None
    where: Where | None = None
    why: str = ""

    @property
    def is_lost(self) -> bool:
        """Whether it says that something in the answer is wrong."""
        return self.outcome in (Outcome.FAILED, Outcome.PARTLY)

    def to_json(self) -> dict[str, Any]:
        """The result as plain data; role and outcome are added by ``Verdict.to_json``."""
        return {
            "name": self.name,
            "earned": self.earned,
            "possible": self.possible,
            "message": self.message,
            "wanted": self.wanted,
            "found": self.found,
            "where": self.where.to_json() if self.where else None,
            "why": self.why,
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Result:
        """The result that ``Verdict.to_json(complete=True)`` wrote."""
        where = given["where"]
        return cls(
            given["name"], Role(given["role"]), Outcome(given["outcome"]), given["earned"], given["possible"],
            given["message"], given["wanted"], given["found"], Where.from_json(where) if where else None, given["why"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one answer.  ``criteria`` holds every check in the order of the exercise, gates first."""

    exercise: str
    status: Status
    criteria: tuple[Result, ...]
    possible: float

    @property
    def earned(self) -> float:
        """The points, never below zero and never above ``possible``."""
        return min(self.possible, max(0, tidy(sum(result.earned for result in self.criteria))))

    @property
    def is_full(self) -> bool:
        """Whether everything that could be earned was, and nothing was left unjudged."""
        return self.status is Status.GRADED and self.earned == self.possible

    def to_json(self, *, complete: bool = False) -> dict[str, Any]:
        """What ``autograder check --json`` prints; ``complete`` adds to every criterion its role and its outcome."""
        added = [{"role": one.role.value, "outcome": one.outcome.value} if complete else {} for one in self.criteria]
        return {
            "exercise": self.exercise,
            "status": self.status.value,
            "earned": self.earned,
            "possible": self.possible,
            "criteria": [{**one.to_json(), **more} for one, more in zip(self.criteria, added, strict=True)],
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Verdict:
        """The very verdict that ``to_json(complete=True)`` was asked of."""
        criteria = tuple(map(Result.from_json, given["criteria"]))
        return cls(given["exercise"], Status(given["status"]), criteria, given["possible"])


def tidy(points: float) -> float:
    """Points to two decimals, whole ones as integers."""
    rounded = round(points, 2)
    return int(rounded) if rounded == int(rounded) else rounded
