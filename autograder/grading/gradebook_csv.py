"""``nbgrader export``: the gradebook as CSV in which nothing that was not judged looks like a 0.

The columns are those of nbgrader's own exporter, then ``status``.  A score is empty where nothing was judged; where a
part was, it is the score of that part, and ``status`` says what is missing.  Texts are quoted as spreadsheets read
them, and none of them can be taken for a formula.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nbgrader.plugins import ExportPlugin

from autograder.checks import Status
from autograder.grading.formulas import harmless
from autograder.grading.marking import status_in

if TYPE_CHECKING:
    from nbgrader.api import Assignment, Gradebook, Student, SubmittedAssignment

COLUMNS: Final = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score", "status",
)  # fmt: skip
#: The status of an answer that waits for a person and that no engine judges.
BY_HAND: Final = "to be graded by hand"


class GradesCsv(ExportPlugin):  # type: ignore[misc]  # nbgrader has no types
    """``nbgrader export [--to FILE] [--student [...]] [--assignment [...]]``."""

    def export(self, gradebook: Gradebook) -> None:
        """Write ``grades.csv``, or the file that ``--to`` names."""
        students = [student for student in gradebook.students if not self.student or student.id in self.student]
        with Path(self.to or "grades.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            for assignment in gradebook.assignments:
                if self.assignment and assignment.name not in self.assignment:
                    continue
                submissions = {submission.student_id: submission for submission in assignment.submissions}
                for student in students:
                    writer.writerow(_row(assignment, student, submissions.get(student.id)))


def _row(assignment: Assignment, student: Student, submission: SubmittedAssignment | None) -> dict[str, Any]:
    row = {
        "assignment": assignment.name,
        "duedate": assignment.duedate,
        "student_id": student.id,
        "last_name": student.last_name,
        "first_name": student.first_name,
        "email": student.email,
        "max_score": assignment.max_score,
        "status": Status.NOT_SUBMITTED.value,
    }
    if submission is not None:
        missing = list(_missing(submission))
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        row |= {"timestamp": submission.timestamp, "status": _status(missing)}
        if assignment.duedate is not None:
            row["duedate"] = submission.duedate  # with the extension
        if len(missing) < len(grades):
            penalty = submission.late_submission_penalty
            row |= {
                "raw_score": submission.score,
                "late_submission_penalty": penalty,
                "score": max(0.0, submission.score - penalty),
            }
    return {column: _shown(value) for column, value in row.items()}


def _missing(submission: SubmittedAssignment) -> Iterable[str]:
    """For each grade that nobody has given yet, the reason."""
    for notebook in submission.notebooks:
        statuses = {comment.name: status_in(comment.auto_comment) for comment in notebook.comments}
        order = [status for status in statuses.values() if status is not None]
        waiting = [grade for grade in notebook.grades if grade.auto_score is None and grade.manual_score is None]
        reasons = [status.value for status in order if status is not Status.GRADED]
        yield from [*reasons, *[BY_HAND] * len(waiting)][: len(waiting)]


def _status(missing: list[str]) -> str:
    if not missing:
        return Status.GRADED.value
    counts = Counter(missing)
    return "; ".join(f"{count} {status}" for status, count in counts.items())


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    return harmless(value) if isinstance(value, str) else value
