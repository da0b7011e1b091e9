"""What the gradebook knows beside the verdicts: who the students are, scores given by hand, and late penalties."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from autograder.checks.verdict import tidy
from autograder.grading.configuration import Configuration
from autograder.grading.gradebook_rows import GradebookError
from autograder.grading.reports.results import Recorded, Student

if TYPE_CHECKING:
    from sqlalchemy import Connection

_STUDENTS: Final = "SELECT id, first_name, last_name, email, lms_user_id FROM student"
_PENALTIES: Final = """
    SELECT submitted.student_id, assignment.name, SUM(notebook.late_submission_penalty)
    FROM submitted_notebook AS notebook
    JOIN submitted_assignment AS submitted ON submitted.id = notebook.assignment_id
    JOIN assignment ON assignment.id = submitted.assignment_id
    GROUP BY submitted.student_id, assignment.name
"""
_SCORES: Final = """
    SELECT submitted.student_id, assignment.name, cell.name, COALESCE(grade.manual_score, grade.auto_score),
           grade.extra_credit, COALESCE(graded.max_score, task.max_score)
    FROM grade
    JOIN submitted_notebook AS notebook ON notebook.id = grade.notebook_id
    JOIN submitted_assignment AS submitted ON submitted.id = notebook.assignment_id
    JOIN assignment ON assignment.id = submitted.assignment_id
    JOIN base_cell AS cell ON cell.id = grade.cell_id
    LEFT JOIN grade_cells AS graded ON graded.id = cell.id
    LEFT JOIN task_cells AS task ON task.id = cell.id
"""


@dataclass(slots=True)
class Scores:
    """What the cells of a submission have added up to so far; those that ``wait`` have no score, not even by hand."""

    score: float = 0
    possible: float = 0
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the gradebook knows: students by id, scores and penalties by student and assignment."""

    students: Mapping[str, Student] = field(default_factory=dict)
    scores: Mapping[tuple[str, str], Scores] = field(default_factory=dict)
    penalties: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def of(self, student: str, assignment: str, unanswered: Collection[str]) -> Recorded | None:
        """What is recorded of a submission; cells that are ``unanswered`` wait for nobody."""
        scores = self.scores.get((student, assignment))
        if not scores:
            return None
        return Recorded(
            score=tidy(scores.score),
            possible=tidy(scores.possible),
            penalty=tidy(self.penalties.get((student, assignment), 0)),
            waiting=sum(cell not in unanswered for cell in scores.waiting),
        )


def known(configuration: Configuration) -> Known:
    """What the gradebook of a course knows; nothing if there is none.  Raises ``GradebookError``."""
    from sqlalchemy import text

    with _connected(configuration) as connection:
        if connection is None:
            return Known()
        students = {
            str(row[0]): Student(*(str(value or "").strip() for value in row))
            for row in connection.execute(text(_STUDENTS))
        }
        scores: dict[tuple[str, str], Scores] = {}
        for student, assignment, cell, score, extra, possible in connection.execute(text(_SCORES)):
            own = scores.setdefault((student, assignment), Scores())
            own.score += (score or 0) + (extra or 0)
            own.possible += possible or 0
            if score is None:
                own.waiting += (sys.intern(cell),)
        penalties = {(row[0], row[1]): row[2] or 0 for row in connection.execute(text(_PENALTIES))}
        return Known(students, scores, penalties)


@contextmanager
def _connected(configuration: Configuration) -> Iterator[Connection | None]:
    """The gradebook, to be read; None if there is none."""
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    url = make_url(configuration.db_url)
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).is_file()):
        yield None
        return
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise GradebookError(f"the gradebook cannot be read: {said}") from error
    finally:
        engine.dispose()
