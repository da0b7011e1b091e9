"""Making the document of results, of a class that was graded just now or of the verdicts that the ledger remembers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import autograder
from autograder.checks.verdict import Result, Status, Verdict, tidy
from autograder.exercises import load
from autograder.exercises.exercise import Exercise
from autograder.grading.assignment import Assignment, exercises_of
from autograder.grading.batch import Batch
from autograder.grading.graded import Graded, GradedSubmission
from autograder.grading.individual import Individual
from autograder.grading.ledger import Ledger
from autograder.grading.remembering import Remembered
from autograder.grading.reports.recorded import Known
from autograder.grading.reports.results import (
    AssignmentInfo,
    Check,
    Criterion,
    ExerciseInfo,
    ExerciseResult,
    Recorded,
    Results,
    Student,
    SubmissionResult,
    Text,
    texts,
)
from autograder.grading.submissions import look_through

#: Characters of an answer that are kept; longer ones are no answers to an exercise of this course.
ANSWER_LIMIT: Final = 64 * 1024
CUT: Final = "\n# ... the rest was cut off\n"


@dataclass
class Collector:
    """Puts together the results of one course; ``known`` is what the gradebook knows of its students."""

    course: Path
    assignments: Sequence[Assignment]
    known: Known = field(default_factory=Known)

    def texts(self, batch: Batch) -> Iterator[str]:
        """The document on a class that was graded just now, in pieces, however large the class."""
        return texts(self._results(batch.students, ()), map(self._graded, batch.submissions))

    def of_ledger(self, ledger: Ledger) -> Results:
        """What everybody was told last, of the assignments that somebody has handed in; also of who is gone since.

        Of whom the ledger knows nothing it is said that there was no answer.
        """
        told = [Remembered.of(ledger, assignment) for assignment in self.assignments]
        told = [known for known in told if known.students]
        due = replace(self, assignments=[known.assignment for known in told])
        there = look_through(self.course)
        students = sorted({*there.students, *(student for known in told for student in known.students)})
        everybody = replace(there, students=tuple(students))
        return due._results(
            students,
            [
                self._graded(graded, is_measured=known.is_measured(graded))
                for known in told
                for graded in known.submissions(everybody.submissions(known.assignment), due._exercises)
            ],
        )

    def _results(self, students: Iterable[str], submissions: Iterable[SubmissionResult]) -> Results:
        return Results(
            course=self.course.name,
            assignments=tuple(
                AssignmentInfo(
                    assignment.name,
                    tidy(sum(task.points for task in assignment.tasks)),
                    tuple(task.exercise for task in assignment.tasks),
                )
                for assignment in self.assignments
            ),
            exercises=tuple(map(_exercise, self._exercises.values())),
            students=tuple(self.known.students.get(student, Student(student)) for student in students),
            submissions=tuple(submissions),
            grader=f"autograder {autograder.__version__}",
        )

    @cached_property
    def _exercises(self) -> dict[str, Exercise]:
        root = exercises_of(self.course)
        return {
            task.exercise: load(task.exercise, root) for assignment in self.assignments for task in assignment.tasks
        }

    @cached_property
    def _individual(self) -> Individual:
        return Individual.of(self.course)

    def _graded(self, graded: GradedSubmission, is_measured: bool = True) -> SubmissionResult:
        student = graded.submission.student
        exercises = tuple(self._answer(student, one) for one in graded.graded)
        notes = tuple(note.text for notebook in graded.notebooks for note in notebook.notes)
        assignment, seconds = graded.submission.assignment, round(graded.seconds, 3) if is_measured else None
        return SubmissionResult(
            student, assignment, graded.status.value, graded.handed_in, seconds, exercises, notes,
            self._recorded(student, assignment, graded.graded),
        )  # fmt: skip

    def _recorded(self, student: str, assignment: str, graded: Sequence[Graded]) -> Recorded | None:
        unanswered = {one.task.check_cell for one in graded if one.verdict.status is Status.NOT_SUBMITTED}
        return self.known.of(student, assignment, unanswered)

    def _answer(self, student: str, graded: Graded) -> ExerciseResult:
        exercise = self._individual.exercise(self._exercises[graded.task.exercise], student)
        text = graded.answer
        kept = text if len(text) <= ANSWER_LIMIT else text[:ANSWER_LIMIT] + CUT
        return ExerciseResult(
            exercise=graded.task.exercise,
            status=graded.verdict.status.value,
            earned=graded.score,
            possible=graded.task.points,
            criteria=_criteria(graded.verdict),
            answer=Text(graded.task.opening.file, kept) if kept.strip() else None,
            values={name: str(value) for name, value in exercise.values.items()} if exercise.is_individual else {},
        )


@lru_cache(maxsize=1024)
def _criteria(verdict: Verdict) -> tuple[Criterion, ...]:
    """What a verdict says; of what many students were told there is one copy."""
    return tuple(map(_criterion, verdict.criteria))


def _criterion(result: Result) -> Criterion:
    return Criterion(
        result.name, result.role.value, result.outcome.value, result.earned, result.possible, result.message,
        result.wanted, result.found, result.where, result.why,
    )  # fmt: skip


def _exercise(exercise: Exercise) -> ExerciseInfo:
    checks = tuple(Check(check.name, check.role.value, check.possible, check.why) for check in exercise.checks)
    known = (exercise.starter, exercise.solution, *exercise.accepted.values(), *exercise.mutants.values())
    values: dict[str, Any] = dict(exercise.values) if exercise.is_individual else {}
    return ExerciseInfo(
        exercise.id, exercise.title, exercise.kind.value, exercise.form.value, exercise.points, checks, known,
        {name: str(value) for name, value in values.items()},
    )  # fmt: skip
