"""Graded submissions as the ledger remembers them: what was said last of each, as if it were graded now.

A submission that is gone since stays as it was graded, unless a later run has looked for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from autograder.checks.verdict import Status
from autograder.exercises.exercise import Exercise
from autograder.grading.assignment import Assignment, Notebook, Task
from autograder.grading.graded import Graded, GradedNotebook, GradedSubmission, absent, unjudged
from autograder.grading.ledger import Entry, Ledger, Reading
from autograder.grading.submissions import Submission

#: What is said of an answer that was there when nobody graded it.
NOT_YET: Final = "nobody has graded this answer yet; grade the assignment"


@dataclass(frozen=True)
class Remembered:
    """What the ledger knows of one assignment, by student."""

    assignment: Assignment
    entries: Mapping[str, Mapping[str, Entry]]  #: by check cell
    readings: Mapping[str, Mapping[str, Reading]]  #: by notebook

    @classmethod
    def of(cls, ledger: Ledger, assignment: Assignment) -> Remembered:
        """All of it."""
        entries: dict[str, dict[str, Entry]] = {}
        for row in ledger.latest_of_all(assignment.name):
            entries.setdefault(row.entry.student, {})[row.entry.task] = row.entry
        readings: dict[str, dict[str, Reading]] = {}
        for reading in ledger.readings(assignment.name):
            readings.setdefault(reading.student, {})[reading.notebook] = reading
        return cls(assignment, entries, readings)

    @property
    def students(self) -> Set[str]:
        """Those who were told something."""
        return self.entries.keys()

    def is_measured(self, graded: GradedSubmission) -> bool:
        """Whether it was noted how long judging took, as older versions did not."""
        return not graded.handed_in or graded.submission.student in self.readings

    def submissions(
        self, handed: Sequence[Submission], exercises: Mapping[str, Exercise]
    ) -> Iterator[GradedSubmission]:
        """Of each submission what was said of it last; without the cells, which are nowhere kept."""
        for submission in handed:
            entries = self.entries.get(submission.student, {})
            readings = self.readings.get(submission.student, {})
            handed_in = self._was_handed_in(submission, entries, readings)
            notebooks = tuple(
                _notebook(notebook, entries if handed_in else {}, readings.get(notebook.name), exercises, handed_in)
                for notebook in self.assignment.notebooks
            )
            yield GradedSubmission(submission, notebooks, handed_in)

    @staticmethod
    def _was_handed_in(submission: Submission, entries: Mapping[str, Entry], readings: Mapping[str, Reading]) -> bool:
        if readings:
            return any(reading.handed_in for reading in readings.values())
        return submission.exists or any(one.verdict.status is not Status.NOT_SUBMITTED for one in entries.values())


def _notebook(
    notebook: Notebook,
    entries: Mapping[str, Entry],
    reading: Reading | None,
    exercises: Mapping[str, Exercise],
    handed_in: bool,
) -> GradedNotebook:
    def graded(task: Task) -> Graded:
        if (entry := entries.get(task.check_cell)) is not None:
            return Graded(task, entry.verdict, entry.answer, entry.key, entry.drawn)
        message = NOT_YET if handed_in else absent(notebook)
        return Graded(task, unjudged(exercises[task.exercise], Status.NOT_SUBMITTED, message))

    notes, seconds = (reading.notes, reading.seconds) if reading is not None and handed_in else ((), 0.0)
    return GradedNotebook(notebook.name, [], tuple(map(graded, notebook.tasks)), notes, seconds)
