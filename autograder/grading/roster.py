"""Who takes part, and what to say of those who handed in without being known, too late, or nothing at all.

The roster is what ``nbgrader db student import`` put into the gradebook.  Grading adds everybody who hands in, by the
name of the folder alone, so on the roster are those of whom the gradebook has more than that: a name or an address.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Set
from datetime import timedelta
from difflib import get_close_matches
from typing import Final

from autograder.grading.batch import Batch
from autograder.grading.configuration import Configuration
from autograder.grading.due_dates import read_extensions
from autograder.grading.gradebook import opened

#: Rows of the gradebook that are held at a time.
_AT_ONCE: Final = 500


def roster(configuration: Configuration) -> set[str]:
    """The ids of the students on the roster; empty if there is none."""
    with opened(configuration) as gradebook:
        return {
            student.id
            for student in gradebook.students
            if student.first_name or student.last_name or student.email or student.lms_user_id
        }


def remarks(configuration: Configuration, batch: Batch) -> list[str]:
    """What an instructor should know about who handed in; without a roster only what can be said without one."""
    known = roster(configuration)
    pairs = {(one.submission.student, one.submission.assignment) for one in batch.submissions if one.handed_in}
    lines = [*_look_alikes(batch.students)]
    if known:
        lines += [_stranger(student, known) for student in sorted({student for student, _ in pairs} - known)]
        for assignment in batch.assignments:
            lines += _absent(known, assignment.name, pairs)
    lines += _late(configuration, batch)
    if extensions := read_extensions(configuration.course):
        assignments = {path.name for path in (configuration.course / "source").iterdir()}
        lines += dict.fromkeys(extensions.strangers(known | set(batch.students), assignments))
    return lines


def _stranger(student: str, known: Collection[str]) -> str:
    folded = {_folded(name): name for name in sorted(known)}
    close = get_close_matches(_folded(student), folded, n=1)
    return f"{student} handed in and is not on the roster" + (f"; is it {folded[close[0]]}?" if close else "")


def _absent(known: Set[str], assignment: str, handed_in: Set[tuple[str, str]]) -> Iterator[str]:
    if absent := sorted(student for student in known if (student, assignment) not in handed_in):
        yield f"{assignment}: on the roster, and handed in nothing: {', '.join(absent)}"


def _late(configuration: Configuration, batch: Batch) -> Iterator[str]:
    """Who handed in late, by the gradebook, and what it costs."""
    from nbgrader import api

    with opened(configuration) as gradebook:
        for assignment in batch.assignments:
            row = gradebook.find_assignment(assignment.name)
            if row.duedate is None:
                continue
            rows = gradebook.db.query(api.SubmittedAssignment).filter_by(assignment_id=row.id)
            timed = rows.filter(api.SubmittedAssignment.timestamp.is_not(None))
            for submission in timed.order_by(api.SubmittedAssignment.student_id).yield_per(_AT_ONCE):
                if submission.total_seconds_late:
                    late = timedelta(seconds=int(submission.total_seconds_late))
                    cost = f", which costs {submission.late_submission_penalty:g} points"
                    yield f"{submission.student_id}, {assignment.name}: {late} late" + (
                        cost if submission.late_submission_penalty else ""
                    )


def _look_alikes(students: Collection[str]) -> Iterator[str]:
    """Folders whose names differ in nothing that a reader sees, or only in capitals."""
    names: dict[str, list[str]] = {}
    for student in students:
        names.setdefault(_folded(student), []).append(student)
    for alike in names.values():
        if len(alike) > 1:
            yield f"submitted/ has {len(alike)} folders of almost the same name: {', '.join(map(ascii, alike))}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
