"""Grades for the gradebooks of Canvas and Moodle, in the form that their imports ask for.

Canvas: the first columns are ``Student``, ``ID``, ``SIS User ID``, ``SIS Login ID`` and ``Section``; a row of points
follows the names; a student is found by ID, then by SIS ids, then by name.  Moodle's *Import CSV* takes any columns and
asks what they are; its offline grading worksheet is known by ``Identifier``, ``Grade`` and ``Last modified (grade)``,
so that a downloaded one is filled in.  While an answer waits for somebody to look at it there is no grade: it is empty
for Canvas and in the worksheet, and a dash for *Import CSV*, which makes a 0 of nothing in a grade item it creates.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from autograder.grading.reports.results import AssignmentInfo, Results, Student, SubmissionResult
from autograder.grading.reports.spreadsheets import Cell, cell, csv_text

#: The columns that Canvas expects before those of assignments, in this order.
CANVAS: Final = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
#: The first cell of the row of points, and what a student of such a name is called instead.
POINTS, NO_POINTS = "Points Possible", "Points-Possible"

#: The columns of Moodle's offline grading worksheet without which it refuses the file.
WORKSHEET: Final = ("Identifier", "Grade", "Last modified (grade)")
FEEDBACK: Final = "Feedback comments"
#: What Moodle's *Import CSV* takes for no grade.
NO_GRADE: Final = "-"
#: Columns of a worksheet by which a student may be known, and the student's own values of them.
_KNOWN_BY: Final = {
    "Email address": lambda student: {student.email},
    "Username": lambda student: {student.id},
    "ID number": lambda student: {student.id, student.lms_id},
}


class BadWorksheet(ValueError):
    """A file is no offline grading worksheet that can be filled in; the message says why."""


def canvas(results: Results) -> str:
    """The file for *Grades, Import* of a Canvas course."""
    names = [assignment.name for assignment in results.assignments]
    points: list[Cell] = [POINTS, "", "", "", "", *(_possible(results, one) for one in results.assignments)]
    rows = [
        [_canvas_name(student), _canvas_id(student), "", student.id, "", *_grades(results, student)]
        for student in results.students
    ]
    return csv_text([[*CANVAS, *names], points, *rows])


def moodle(results: Results) -> str:
    """The file for *Grades, Import, CSV file* of a Moodle course: a grade and a feedback for each assignment."""
    names = [name for assignment in results.assignments for name in (assignment.name, f"{assignment.name} feedback")]
    rows: list[list[Cell]] = [["Username", "Email address", "First name", "Last name", *names]]
    for student in results.students:
        own = {one.assignment: one for one in results.by_student[student.id]}
        cells: list[Cell] = []
        for assignment in results.assignments:
            submission = own.get(assignment.name)
            grade = submission.grade if submission else None
            cells += [NO_GRADE if grade is None else grade, feedback(submission) if submission else ""]
        rows.append([student.id, student.email, student.first_name, student.last_name, *cells])
    return csv_text(rows)


def worksheet(results: Results, assignment: str, downloaded: str) -> tuple[str, list[str]]:
    """A downloaded offline grading worksheet with the grades of an assignment, and the students not found in it.

    Everything else in it stays.  Raises ``BadWorksheet``.
    """
    reader = csv.DictReader(io.StringIO(downloaded.removeprefix("\ufeff")))
    columns = list(reader.fieldnames or ())
    missing = [column for column in WORKSHEET if column not in columns]
    known_by = [column for column in _KNOWN_BY if column in columns]
    if missing:
        raise BadWorksheet(f"it has no column {', '.join(missing)}; download it with Moodle set to English")
    if not known_by:
        raise BadWorksheet(f"it has none of the columns {', '.join(_KNOWN_BY)}, so that nobody can be found in it")
    submissions = {one.student: one for one in results.of(assignment)}
    students = [student for student in results.students if student.id in submissions]
    known = {column: {value: one.id for one in students for value in _KNOWN_BY[column](one) if value}
             for column in known_by}  # fmt: skip
    rows = list(reader)
    left = set(submissions)
    for row in rows:
        found = next((known[column][row[column]] for column in known_by if row[column] in known[column]), None)
        if found is None:
            continue
        left.discard(found)
        grade = submissions[found].grade
        if grade is not None:
            row["Grade"] = f"{grade:g}"
        if FEEDBACK in columns:
            row[FEEDBACK] = cell(feedback(submissions[found]))
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue(), sorted(left)


def waiting(results: Results) -> list[SubmissionResult]:
    """The submissions whose grade is left empty although something was handed in."""
    return [one for one in results.submissions if one.handed_in and one.grade is None]


def feedback(submission: SubmissionResult) -> str:
    """The points of every exercise in one line, none of its words the student's."""
    return "; ".join(
        f"{one.exercise}: {one.status if one.earned is None else f'{one.earned:g} of {one.possible:g}'}"
        for one in submission.exercises
    )


def _grades(results: Results, student: Student) -> Iterator[Cell]:
    own = {one.assignment: one for one in results.by_student[student.id]}
    for assignment in results.assignments:
        submission = own.get(assignment.name)
        yield submission.grade if submission else None


def _possible(results: Results, assignment: AssignmentInfo) -> float:
    """The points of an assignment, with those of cells that only people grade."""
    recorded = (one.recorded.possible for one in results.of(assignment.name) if one.recorded)
    return max([assignment.possible, *recorded])


def _canvas_name(student: Student) -> str:
    """How Canvas sorts a name; nobody's name makes the row of points."""
    both = student.last_name and student.first_name
    name = f"{student.last_name}, {student.first_name}" if both else student.name
    return name.replace(POINTS, NO_POINTS)


def _canvas_id(student: Student) -> str:
    return student.lms_id if student.lms_id.isdecimal() else ""
