"""When work is due, for whom later, and what lateness costs: the same whichever command grades.

The due date of an assignment stands in nbgrader's gradebook (``nbgrader db assignment add NAME --duedate=...``), the
penalty is that of nbgrader's ``AssignLatePenalties``, and extensions stand in ``extensions.csv`` in the course:

    student,assignment,due
    ada,07-pods,2026-03-12 23:59 Europe/Berlin

nbgrader keeps extensions in its gradebook and has no command to give them.  Where there is such a file, it alone says
who has one; where there is none, those in the gradebook stay as they are.  Times without a zone are UTC.
"""

from __future__ import annotations

import contextlib
import csv
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autograder.grading.assignment import BadCourse
from autograder.grading.disk import plain_file

if TYPE_CHECKING:
    from autograder.grading.configuration import Configuration

FILE: Final = "extensions.csv"
COLUMNS: Final = ("student", "assignment", "due")
#: Bytes of a submission's ``timestamp.txt`` that are read.
TIMESTAMP_LIMIT: Final = 100
_TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d(:\d\d(\.\d{1,6})?)?)"
    r" ?(?P<offset>[+-]\d\d:?\d\d|Z)?(?: (?P<zone>[A-Za-z]\w*([/+-]\w+)*))?",
    re.ASCII,
)

#: What being late costs, from student, score and seconds.
Penalty = Callable[[str, float, float], float | None]


@dataclass(frozen=True, slots=True)
class Extensions:
    """Due dates of single students, in UTC, by student and assignment."""

    due: Mapping[tuple[str, str], datetime]

    def extension(self, student: str, assignment: str, duedate: datetime | None) -> timedelta | None:
        """How much later than ``duedate`` somebody may hand in; None for who has no extension."""
        own = self.due.get((student, assignment))
        return own - duedate if own is not None and duedate is not None else None

    def strangers(self, students: set[str], assignments: set[str]) -> Iterator[str]:
        """What the file says of students and assignments that nobody knows: a slip of the pen, most likely."""
        for student, assignment in self.due:
            if student not in students:
                yield f"{FILE}: nobody is called {student}"
            if assignment not in assignments:
                yield f"{FILE}: no assignment is called {assignment}"


def read_extensions(course: Path) -> Extensions | None:
    """The extensions of a course, None where there is no file.  Raises ``BadCourse`` for a line that makes no sense."""
    path = course / FILE
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCourse(f"{path} cannot be read: {error}; save it as CSV in UTF-8") from error
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    if not set(COLUMNS) <= set(rows.fieldnames or ()):
        raise BadCourse(f"{path}:1: the first line must be {','.join(COLUMNS)}")
    due: dict[tuple[str, str], datetime] = {}
    for row in rows:
        student, assignment, when = ((row[column] or "").strip() for column in COLUMNS)
        where = f"{path}:{rows.line_num}"
        if not student or not assignment:
            raise BadCourse(f"{where}: a student and an assignment must stand there")
        if (student, assignment) in due:
            raise BadCourse(f"{where}: {student} has an extension of {assignment} already")
        if (read := moment(when)) is None:
            raise BadCourse(f"{where}: {when!r} is no time; write it as 2026-03-12 23:59 Europe/Berlin")
        due[student, assignment] = read
    return Extensions(due)


def penalty_of(configuration: Configuration) -> Penalty:
    """The course's penalty: a function of student, score and seconds late, with the bounds that nbgrader sets it.

    Raises ``BadCourse`` when the plugin cannot be used, and the function does when the plugin fails.
    """
    from nbgrader.preprocessors import AssignLatePenalties

    with _importing_from(configuration.course):
        try:
            step = AssignLatePenalties(config=configuration.config)
            step.init_plugin()
        except Exception as error:  # it is the course's own code, and may raise anything
            raise BadCourse(f"the plugin for late penalties cannot be used: {error}") from error

    def penalty(student: str, score: float, late: float) -> float | None:
        try:
            asked = step.plugin_inst.late_submission_penalty(student, score, late)
            return None if asked is None else max(0.0, min(float(asked), score))
        except Exception as error:
            name = type(step.plugin_inst).__name__
            raise BadCourse(f"{name}, the plugin for late penalties, failed for {student}: {error!r}") from error

    return penalty


def submitted_at(folder: Path) -> datetime | None:
    """When a submission was made, in UTC, if nbgrader's ``timestamp.txt`` says so.  The student may have written it."""
    path = folder / "timestamp.txt"
    try:
        with plain_file(path) as file:
            content = file.read(TIMESTAMP_LIMIT + 1)
        return moment(content.decode().strip()) if len(content) <= TIMESTAMP_LIMIT else None
    except (OSError, UnicodeDecodeError):
        return None


def moment(text: str) -> datetime | None:
    """A point in time in UTC, without a zone, as nbgrader keeps them; None for a text that is none.

    nbgrader guesses at what it does not know, and looks for a zone among all files.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        zone = ZoneInfo(match["zone"]) if match["zone"] else UTC
        read = datetime.fromisoformat(f"{match['date']} {match['time']}{match['offset'] or ''}")
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, ZoneInfoNotFoundError):
        return None


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[Any]:
    """Let modules beside ``nbgrader_config.py`` be imported, as nbgrader does."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
