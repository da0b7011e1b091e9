"""CSV files that people open in a spreadsheet: everything quoted, and no cell a formula, whoever wrote it.

Numbers are ours and stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from autograder.checks.verdict import Outcome, Role
from autograder.grading.formulas import harmless
from autograder.grading.reports.cleaning import one_line
from autograder.grading.reports.results import (
    UNJUDGED,
    AssignmentInfo,
    Check,
    Criterion,
    ExerciseInfo,
    ExerciseResult,
    Results,
    SubmissionResult,
)
from autograder.grading.reports.similarity import Pair

Cell = str | float | None

#: Characters of a cell; spreadsheets take 32,767.
CELL: Final = 2_000
#: Spreadsheets guess the encoding of a file without it.
MARK: Final = "\ufeff"


def cell(value: Cell) -> str:
    """A cell: nothing for None, a plain number, or a text on one line that is no formula; a lone dash is none."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return f"{value:g}"
    return harmless(one_line(value, CELL))


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as CSV by RFC 4180."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return file.getvalue()


def grades(results: Results) -> str:
    """A row for each student; of each assignment its total, and a column for each exercise and each criterion.

    A cell is empty where nothing was judged; the column of the status before it says why.
    """
    people = ("student", "last name", "first name", "email")
    columns = list(_columns(results))
    head = [*people, *(name for name, *_ in columns), "total", "possible"]
    return MARK + csv_text([head, *_rows(results, columns)])


def criteria(results: Results) -> str:
    """A row for each criterion of each answer, with everything that was said; for pivot tables and for pandas."""
    head = (
        "student", "assignment", "exercise", "status", "criterion", "role", "outcome", "earned", "possible", "message",
        "wanted", "found", "file", "line", "column", "field",
    )  # fmt: skip
    rows = (
        (
            submission.student, submission.assignment, answer.exercise, answer.status, one.name, one.role, one.outcome,
            one.earned, one.possible, one.message, one.wanted, one.found,
            *((one.where.file, one.where.line, one.where.column, one.where.field) if one.where else (None,) * 4),
        )
        for submission in results.submissions
        for answer in submission.exercises
        for one in answer.criteria
    )  # fmt: skip
    return MARK + csv_text([head, *rows])


def similarities(pairs: Iterable[Pair]) -> str:
    """The pairs of similar answers, most alike first."""
    head = ("exercise", "student", "other student", "similarity", "shared", "own", "examples")
    rows = (
        (one.exercise, one.one, one.other, round(one.similarity, 3), one.shared, one.own, ", ".join(one.examples))
        for one in pairs
    )
    return MARK + csv_text([head, *rows])


#: A column: its name, and what of a submission stands in it.
_Column = tuple[str, AssignmentInfo, ExerciseInfo | None, Check | str]


def _columns(results: Results) -> Iterator[_Column]:
    for assignment in results.assignments:
        for what in ("status", "earned", "possible"):
            yield f"{assignment.name} {what}", assignment, None, what
        for exercise in (results.exercise[one] for one in assignment.exercises):
            name = f"{assignment.name} {exercise.id}"
            yield f"{name} status", assignment, exercise, "status"
            yield name, assignment, exercise, "earned"
            for check in exercise.checks:
                yield f"{name} {check.name}", assignment, exercise, check


def _rows(results: Results, columns: Sequence[_Column]) -> Iterator[list[Cell]]:
    for student in results.students:
        own = {one.assignment: one for one in results.by_student[student.id]}
        answers = {name: {one.exercise: one for one in submission.exercises} for name, submission in own.items()}
        earned = [one.earned for one in own.values() if one.earned is not None]
        yield [
            student.id, student.last_name, student.first_name, student.email,
            *(_value(own.get(assignment.name), answers.get(assignment.name, {}), exercise, what)
              for _, assignment, exercise, what in columns),
            sum(earned) if earned else None, sum(one.possible for one in own.values()),
        ]  # fmt: skip


def _value(
    submission: SubmissionResult | None, answers: dict[str, ExerciseResult], exercise: ExerciseInfo | None,
    what: Check | str,
) -> Cell:  # fmt: skip
    if submission is None:
        return None
    judged: SubmissionResult | ExerciseResult | None = submission if exercise is None else answers.get(exercise.id)
    if judged is None or isinstance(what, str):
        return getattr(judged, str(what), None)
    assert isinstance(judged, ExerciseResult)
    found = next((one for one in judged.criteria if one.name == what.name), None)
    return None if judged.earned is None or found is None else of_criterion(found)


def of_criterion(criterion: Criterion) -> Cell:
    """The points of a criterion; a gate has none, and says whether it was passed."""
    if criterion.outcome in UNJUDGED:
        return None
    if criterion.role == Role.GATE.value:
        return "passed" if criterion.outcome == Outcome.PASSED.value else "failed"
    return criterion.earned
