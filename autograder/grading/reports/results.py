"""The document of results: all that a report can say of a graded class, and nothing that is not in it is in a report.

``autograder grade --json`` writes it, ``autograder report`` turns it into pages and tables.  Its form is described by
``results.schema.json`` beside this module and by ``docs/results.md``; the classes here have the same fields.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from autograder.checks.verdict import Outcome, Status, Where, tidy

#: Rises when a document of before could be misread by what reads this one.
VERSION: Final = 1
SCHEMA: Final = Path(__file__).with_name("results.schema.json")

GRADED: Final = Status.GRADED.value
NOT_SUBMITTED: Final = Status.NOT_SUBMITTED.value
TAMPERED: Final = Status.TAMPERED.value

#: Outcomes that cost points, or (of a gate) keep the rest from being looked at.
LOST: Final = frozenset({Outcome.FAILED.value, Outcome.PARTLY.value})
#: Outcomes that say nothing about the answer.
UNJUDGED: Final = frozenset({Outcome.NOT_RUN_THERE.value, Outcome.COULD_NOT_BE_JUDGED.value})


class BadResults(ValueError):
    """A file is no document of results; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What became of one check; a gate and a guard earn nothing, and a guard that was violated costs."""

    name: str
    role: str
    outcome: str
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
        return self.outcome in LOST

    @property
    def details(self) -> Iterator[tuple[str, str]]:
        """What is known of it beside the message: where, wanted, found and why, each with its name."""
        where = f"{self.where} {self.where.field}".strip() if self.where else None
        known = {"where": where, "wanted": self.wanted, "found": self.found, "why": self.why}
        return ((name, text) for name, text in known.items() if text)


@dataclass(frozen=True, slots=True)
class Text:
    """What a student wrote into the answer's cell, and the file that it is."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class ExerciseResult:
    """One answer.  ``earned`` is None unless it was judged, so that nobody reads a 0 where nobody has looked.

    ``values`` are those that were drawn for this student; empty where all students have the same.
    """

    exercise: str
    status: str
    earned: float | None
    possible: float
    criteria: tuple[Criterion, ...]
    answer: Text | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """What was earned as a part of what could be, from 0 to 1."""
        return None if self.earned is None or not self.possible else self.earned / self.possible


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the gradebook says of a submission: its score with what was given by hand, before the late ``penalty``.

    ``waiting`` counts the cells that somebody has to give a score to; an answer that was not given is none of them.
    """

    score: float
    possible: float
    penalty: float
    waiting: int


@dataclass(frozen=True)
class SubmissionResult:
    """One student's work on one assignment, also if nothing was handed in.  ``notes`` say what was put right.

    ``status`` is that of its answers that needs a look the most, or that it was tampered with.
    ``seconds`` are those of wall time that judging it took; None where nobody measured.
    """

    student: str
    assignment: str
    status: str
    handed_in: bool
    seconds: float | None
    exercises: tuple[ExerciseResult, ...]
    notes: tuple[str, ...] = ()
    recorded: Recorded | None = None

    @property
    def earned(self) -> float | None:
        """The points of all answers that were judged; None if none was."""
        judged = [one.earned for one in self.exercises if one.earned is not None]
        return tidy(sum(judged)) if judged else None

    @property
    def possible(self) -> float:
        """The points of all answers, judged or not."""
        return tidy(sum(one.possible for one in self.exercises))

    @property
    def grade(self) -> float | None:
        """The points as another gradebook should get them: None while an answer waits for somebody to look at it.

        An answer that was not given costs its points, and waits for nobody.  What the gradebook says counts, if it says
        anything: scores that were given by hand, and late penalties.
        """
        if self.recorded is not None and (self.recorded.score or self.earned is not None):
            points = tidy(max(0, self.recorded.score - self.recorded.penalty))
            return None if self.recorded.waiting else points
        settled = all(one.earned is not None or one.status == NOT_SUBMITTED for one in self.exercises)
        return self.earned if settled else None


@dataclass(frozen=True, slots=True)
class Check:
    """A check as its exercise declares it."""

    name: str
    role: str
    possible: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class ExerciseInfo:
    """An exercise; ``known`` are texts that students have or may well write: starter, solution, variants, mistakes.

    ``values`` are those that stand in these texts, where every student has values of their own.
    """

    id: str
    title: str
    kind: str
    form: str
    possible: float
    checks: tuple[Check, ...]
    known: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssignmentInfo:
    """An assignment and the exercises in it, in order."""

    name: str
    possible: float
    exercises: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Student:
    """A student: ``id`` is the name of the folder, the rest is from the gradebook and empty where that has nothing."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""

    @property
    def name(self) -> str:
        """How a page calls the student."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.id


@dataclass(frozen=True)
class Results:
    """A graded class: submissions by assignment, then by student."""

    course: str
    assignments: tuple[AssignmentInfo, ...]
    exercises: tuple[ExerciseInfo, ...]
    students: tuple[Student, ...]
    submissions: tuple[SubmissionResult, ...]
    grader: str = ""
    schema_version: int = field(default=VERSION)

    @cached_property
    def exercise(self) -> Mapping[str, ExerciseInfo]:
        """The exercises by id."""
        return {one.id: one for one in self.exercises}

    @cached_property
    def by_student(self) -> Mapping[str, tuple[SubmissionResult, ...]]:
        """Each student's submissions, in the order of the assignments."""
        found: dict[str, list[SubmissionResult]] = {student.id: [] for student in self.students}
        for submission in self.submissions:
            found.setdefault(submission.student, []).append(submission)
        return {student: tuple(own) for student, own in found.items()}

    def of(self, assignment: str) -> tuple[SubmissionResult, ...]:
        """The submissions of one assignment, by student."""
        return tuple(one for one in self.submissions if one.assignment == assignment)

    def only(self, assignment: str | None) -> Results:
        """The results of one assignment, or all; raises ``BadResults`` for one that is not there."""
        if assignment is None:
            return self
        chosen = tuple(one for one in self.assignments if one.name == assignment)
        if not chosen:
            known = ", ".join(one.name for one in self.assignments) or "none"
            raise BadResults(f"there is no assignment {assignment}; there are: {known}")
        exercises = tuple(one for one in self.exercises if one.id in chosen[0].exercises)
        return dataclasses.replace(self, assignments=chosen, exercises=exercises, submissions=self.of(assignment))


def texts(results: Results, submissions: Iterable[SubmissionResult] | None = None) -> Iterator[str]:
    """The document as text in ASCII, such that no reader stumbles over what a student wrote.

    It comes in pieces, and with other ``submissions`` in the place of its own no more than one need be in memory.
    """
    known = {"schema_version": results.schema_version, "grader": results.grader}
    head = {**known, **_plain(dataclasses.replace(results, submissions=()))}
    head.pop("submissions")
    yield f'{json.dumps(head)[:-1]}, "submissions": ['
    for number, one in enumerate(results.submissions if submissions is None else submissions):
        # with what can be computed from it filled in for readers that are no Python
        yield (", " if number else "") + json.dumps({**_plain(one), "earned": one.earned, "possible": one.possible})
    yield "]}\n"


def _plain(value: Any) -> Any:
    """Records, tuples and maps as JSON has them."""
    if dataclasses.is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in (one.name for one in dataclasses.fields(value))}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value
