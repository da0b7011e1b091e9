"""What is found out about a submission: of each answer the verdict, its points and where the verdict comes from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from autograder.checks import Outcome, Status, Verdict, block
from autograder.checks.verdict import tidy
from autograder.exercises.entries import READABLE, WHY_READABLE, entry
from autograder.exercises.exercise import Exercise
from autograder.grading.assignment import Cell, Notebook, Task
from autograder.grading.digests import Key
from autograder.grading.ledger import Entry, Reading
from autograder.grading.restoring import Note
from autograder.grading.submissions import Submission

#: Statuses of answers and submissions, what needs somebody's look the most first.
_BY_URGENCY: Final = (
    Status.COULD_NOT_BE_JUDGED, Status.TIMED_OUT, Status.TAMPERED, Status.UNREADABLE, Status.NOT_RUN_THERE,
    Status.GRADED, Status.NOT_SUBMITTED,
)  # fmt: skip


class Origin(Enum):
    """Where a verdict comes from."""

    NO_ANSWER = "there was nothing to judge"
    JUDGED = "judged now"
    REMEMBERED = "judged before"


@dataclass(frozen=True)
class Graded:
    """One task and the verdict on its answer: the answer's text, what decided the verdict, and where it comes from.

    ``drawn`` are the values of the exercise's parameters.
    """

    task: Task
    verdict: Verdict
    answer: str = ""
    key: Key | None = None
    drawn: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin = field(default=Origin.NO_ANSWER, compare=False)

    @property
    def score(self) -> float | None:
        """Points for the gradebook; None for what was not judged, so that nobody is given a silent 0.

        What could not be run on this kind of cluster has left the total; the rest then counts for all the points.
        """
        if self.verdict.status is not Status.GRADED:
            return None
        return tidy(self.task.points * self.verdict.earned / self.verdict.possible) if self.verdict.possible else 0


@dataclass(frozen=True)
class GradedNotebook:
    """A student's notebook as it was graded: the restored cells, the verdicts on its tasks, what was put right.

    ``seconds`` are those of wall time that judging it took.
    """

    notebook: str
    cells: list[Cell]
    graded: tuple[Graded, ...]
    notes: tuple[Note, ...] = ()
    seconds: float = 0.0

    def notes_on(self, task: Task) -> list[str]:
        """What was put right about the cells of one task."""
        return [note.text for note in self.notes if note.cell in (task.answer_cell, task.check_cell)]


@dataclass(frozen=True)
class GradedSubmission:
    """One student's work on one assignment."""

    submission: Submission
    notebooks: tuple[GradedNotebook, ...]
    handed_in: bool = True

    @property
    def seconds(self) -> float:
        """Seconds of wall time that judging it took."""
        return math.fsum(notebook.seconds for notebook in self.notebooks)

    @property
    def without_cells(self) -> GradedSubmission:
        """All that was said of it, without the notebooks themselves, which are most of it."""
        bare = tuple(replace(notebook, cells=[]) for notebook in self.notebooks)
        return replace(self, notebooks=bare)

    @property
    def graded(self) -> tuple[Graded, ...]:
        """The tasks of all notebooks with their verdicts, in order."""
        return tuple(graded for notebook in self.notebooks for graded in notebook.graded)

    @property
    def was_cut_off(self) -> bool:
        """Whether a judgement was stopped in the middle of what it did, so that its engine is not to be trusted."""
        return any(one.verdict.status is Status.TIMED_OUT for one in self.graded)

    @property
    def was_tampered_with(self) -> bool:
        """Whether what points hang on had to be put right."""
        return any(note.is_tampering for notebook in self.notebooks for note in notebook.notes)

    @property
    def status(self) -> Status:
        """What is to be said of the whole: of all that can be said of its parts, what needs a look the most."""
        found = {one.verdict.status for one in self.graded}
        if self.was_tampered_with:
            found.add(Status.TAMPERED)
        return most_urgent(found)

    def entries(self) -> Iterator[Entry]:
        """What the ledger keeps of its answers."""
        student, assignment = self.submission.student, self.submission.assignment
        for one in self.graded:
            if one.key is not None:
                yield Entry(student, assignment, one.task.check_cell, one.key, one.verdict, one.answer, one.drawn)

    def readings(self) -> Iterator[Reading]:
        """What the ledger keeps of its notebooks."""
        student, assignment = self.submission.student, self.submission.assignment
        for one in self.notebooks:
            yield Reading(student, assignment, one.notebook, self.handed_in, one.seconds, one.notes)


def most_urgent(found: Set[Status]) -> Status:
    """Of all that is to be said of parts, what needs somebody's look the most."""
    return next((status for status in _BY_URGENCY if status in found), Status.GRADED)


def together(parts: Sequence[GradedSubmission], judged: Sequence[GradedSubmission]) -> GradedSubmission:
    """One submission of parts that were graded each by itself, in the order of its tasks.

    Only those of the parts that were ``judged`` know the cells; of the others it is not known what stood in them.
    """
    cells = {notebook.notebook: notebook.cells for part in (*parts, *judged) for notebook in part.notebooks}
    notebooks = []
    for name, known in cells.items():
        own = [notebook for part in parts for notebook in part.notebooks if notebook.notebook == name]
        graded = tuple(one for notebook in own for one in notebook.graded)
        notes = tuple(dict.fromkeys(note for notebook in own for note in notebook.notes))
        notebooks.append(GradedNotebook(name, known, graded, notes, math.fsum(notebook.seconds for notebook in own)))
    return GradedSubmission(parts[0].submission, tuple(notebooks), parts[0].handed_in)


def absent(notebook: Notebook) -> str:
    """How it is said that a notebook is not there."""
    return f"{notebook.name}.ipynb was not handed in"


def unjudged(exercise: Exercise, status: Status, message: str) -> Verdict:
    """The verdict on an answer that could not be looked at: no points, and why."""
    outcome = Outcome.COULD_NOT_BE_JUDGED if status is Status.COULD_NOT_BE_JUDGED else Outcome.FAILED
    reason = entry(READABLE, message, WHY_READABLE, outcome=outcome)
    return Verdict(exercise.id, status, (reason, *block(exercise.checks, reason.name)), exercise.points)
