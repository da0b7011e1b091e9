"""nbgrader's gradebook: everything about a graded class goes into it in one transaction, or nothing does.

What nbgrader would have written is written as it writes it, so that formgrader, ``generate_feedback`` and ``export``
go on from here.  What a person entered stays: manual scores and comments, extensions, names.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from autograder.grading.assignment import Assignment, grade_id
from autograder.grading.batch import Batch
from autograder.grading.configuration import Configuration
from autograder.grading.due_dates import Extensions, Penalty, penalty_of, read_extensions, submitted_at
from autograder.grading.engine import GradedNotebook, GradedSubmission
from autograder.grading.marking import comments_on, scores_of
from autograder.grading.releasing import released

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from nbgrader.api import Gradebook, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy.orm import Session

    _Written = tuple[SubmittedAssignment, list[SubmittedNotebook]]

#: What nbgrader writes on an answer that nobody changed.
NO_RESPONSE: Final = "No response."


class GradebookError(Exception):
    """The gradebook could not be written; nothing in it was changed, and the message says what to do."""


def record(configuration: Configuration, batch: Batch) -> None:
    """Write assignments, cells, students, submissions, scores, comments and penalties.

    Raises ``GradebookError``, and ``BadCourse`` for what the course says of due dates and penalties.
    """
    extensions, penalty = read_extensions(configuration.course), penalty_of(configuration)
    with _explained(configuration.db_url), opened(configuration) as gradebook:
        session = gradebook.db
        if session.get_bind().dialect.name == "sqlite":
            session.connection().exec_driver_sql("BEGIN IMMEDIATE")  # nobody else writes between our reads and writes
        for assignment in batch.assignments:
            cells = _Cells(session, configuration, assignment)
            for graded in batch.submissions:
                if graded.handed_in and graded.submission.assignment == assignment.name:
                    _record_lateness(session, *_record_submission(session, cells, graded), extensions, penalty)
        session.commit()


@dataclass(slots=True)
class _KnownNotebook:
    """One notebook's rows in the gradebook: ids of cells by ``grade_id``, and checksums as they were released."""

    id: str
    graded: dict[str, str]
    commented: dict[str, str]
    checksums: dict[str, str]


class _Cells:
    """The rows that describe an assignment, made or brought up to date."""

    def __init__(self, session: Session, configuration: Configuration, assignment: Assignment) -> None:
        from nbgrader import api

        self._session = session
        self._api = api
        row = session.query(api.Assignment).filter_by(name=assignment.name).one_or_none()
        if row is None:
            row = api.Assignment(name=assignment.name, course_id=configuration.course_id or "default_course")
            row.id = api.new_uuid()
            session.add(row)
        self.id: str = row.id
        self.notebooks = {
            notebook.name: self._notebook(notebook.name, released(configuration, assignment, notebook))
            for notebook in assignment.notebooks
        }
        session.flush()

    def _notebook(self, name: str, node: NotebookNode) -> _KnownNotebook:
        from nbgrader import utils

        api = self._api
        row = self._session.query(api.Notebook).filter_by(name=name, assignment_id=self.id).one_or_none()
        if row is None:
            row = api.Notebook(id=api.new_uuid(), name=name, assignment_id=self.id)
            self._session.add(row)
        row.kernelspec = json.dumps(node.metadata.get("kernelspec", {}))
        known = _KnownNotebook(row.id, {}, {}, {})
        for cell in node.cells:
            identity = grade_id(cell)
            grade, solution, task = utils.is_grade(cell), utils.is_solution(cell), utils.is_task(cell)
            if grade or task:
                kind = api.TaskCell if task else api.GradeCell
                values = {"max_score": float(cell.metadata.nbgrader["points"]), "cell_type": cell.cell_type}
                known.graded[identity] = self._cell(kind, row.id, identity, values)
            if solution:
                known.commented[identity] = self._cell(api.SolutionCell, row.id, identity, {})
            elif task:
                known.commented[identity] = known.graded[identity]
            if grade or solution or task or utils.is_locked(cell):
                checksum = cell.metadata.nbgrader.get("checksum")
                source = {
                    "cell_type": cell.cell_type, "locked": utils.is_locked(cell), "source": cell.source,
                    "checksum": checksum,
                }  # fmt: skip
                self._cell(api.SourceCell, row.id, identity, source)
                known.checksums[identity] = checksum
        self._remove_others(row.id, name, known)
        return known

    def _cell(self, kind: type[Any], notebook: str, name: str, values: dict[str, Any]) -> str:
        row = self._session.query(kind).filter_by(name=name, notebook_id=notebook).one_or_none()
        if row is None:
            row = kind(id=self._api.new_uuid(), name=name, notebook_id=notebook)
            self._session.add(row)
        for field, value in values.items():
            setattr(row, field, value)
        return str(row.id)

    def _remove_others(self, notebook: str, name: str, known: _KnownNotebook) -> None:
        """Forget cells that the source does not have any more, unless somebody has been graded on them."""
        api, session = self._api, self._session
        ids = {*known.graded.values(), *known.commented.values()}
        gone = [row for row in session.query(api.BaseCell).filter_by(notebook_id=notebook) if row.id not in ids]
        gone += [
            row
            for row in session.query(api.SourceCell).filter_by(notebook_id=notebook)
            if row.name not in known.checksums
        ]
        if gone and session.query(api.SubmittedNotebook).filter_by(notebook_id=notebook).first():
            names = ", ".join(sorted({row.name for row in gone}))
            raise GradebookError(
                f"the gradebook has submissions with the cells {names}, which {name}.ipynb has no more; put them back, "
                "or let nbgrader forget the assignment (nbgrader db assignment remove)"
            )
        for row in gone:
            session.delete(row)


def _record_submission(session: Session, cells: _Cells, graded: GradedSubmission) -> _Written:
    from nbgrader import api

    name = graded.submission.student
    if session.get(api.Student, name) is None:
        session.add(api.Student(id=name))
    submitted = session.query(api.SubmittedAssignment).filter_by(assignment_id=cells.id, student_id=name).one_or_none()
    if submitted is None:
        submitted = api.SubmittedAssignment(id=api.new_uuid(), assignment_id=cells.id, student_id=name)
        session.add(submitted)
    if (timestamp := submitted_at(graded.submission.folder)) is not None:
        submitted.timestamp = timestamp
    notebooks: list[SubmittedNotebook] = []
    for notebook in graded.notebooks:
        known = cells.notebooks[notebook.notebook]
        row = session.query(api.SubmittedNotebook).filter_by(notebook_id=known.id, assignment_id=submitted.id)
        submitted_notebook = row.one_or_none()
        if submitted_notebook is None:
            submitted_notebook = api.SubmittedNotebook(
                id=api.new_uuid(), notebook_id=known.id, assignment_id=submitted.id
            )
            session.add(submitted_notebook)
        _record_scores(session, known, submitted_notebook.id, notebook)
        notebooks.append(submitted_notebook)
    return submitted, notebooks


def _record_lateness(
    session: Session,
    submitted: SubmittedAssignment,
    notebooks: Sequence[SubmittedNotebook],
    extensions: Extensions | None,
    penalty: Penalty,
) -> None:
    """Write the extension and the penalty, as nbgrader's ``AssignLatePenalties`` does."""
    for notebook in notebooks:
        notebook.late_submission_penalty = None
    session.flush()
    due, student = submitted.assignment.duedate, submitted.student_id
    if due is None:
        return  # nbgrader cannot add an extension to no date
    if extensions is not None:
        submitted.extension = extensions.extension(student, submitted.assignment.name, due)
    if late := submitted.total_seconds_late:
        for notebook in notebooks:
            session.refresh(notebook, ["score"])  # the database adds it up
            notebook.late_submission_penalty = penalty(student, notebook.score, late)


def _record_scores(session: Session, known: _KnownNotebook, submitted: str, notebook: GradedNotebook) -> None:
    from nbgrader import api

    scores, comments = scores_of(notebook), comments_on(notebook)
    untouched = _untouched(notebook, known.checksums)
    for identity, cell in known.graded.items():
        grade = _row(session, api.Grade, cell, submitted)
        grade.auto_score = scores.get(identity, 0 if identity in untouched else None)
        grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
    for identity, cell in known.commented.items():
        comment = _row(session, api.Comment, cell, submitted)
        comment.auto_comment = comments.get(identity, NO_RESPONSE if identity in untouched else None)


def _row(session: Session, kind: type[Any], cell: str, notebook: str) -> Any:
    """The grade or comment of a cell in a submitted notebook."""
    from nbgrader import api

    row = session.query(kind).filter_by(cell_id=cell, notebook_id=notebook).one_or_none()
    if row is None:
        row = kind(id=api.new_uuid(), cell_id=cell, notebook_id=notebook)
        session.add(row)
    return row


def _untouched(notebook: GradedNotebook, checksums: dict[str, str]) -> set[str]:
    """The answers that are not the engine's to judge and that stand as they were released."""
    import nbformat
    from nbgrader import utils

    found = set()
    for cell in notebook.cells:
        if (identity := grade_id(cell)) in checksums:
            node = nbformat.from_dict(cell)  # type: ignore[no-untyped-call]  # nbformat has no types
            if utils.is_solution(node) and utils.compute_checksum(node) == checksums[identity]:
                found.add(identity)
    return found


@contextmanager
def opened(configuration: Configuration) -> Iterator[Gradebook]:
    """The gradebook, made if there is none.

    nbgrader asks a program ``alembic`` for the version of its tables, which is not on everybody's path; the library
    knows it too.
    """
    from nbgrader import api, dbutil
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.engine import make_url

    url = make_url(configuration.db_url)
    if url.get_backend_name() == "sqlite" and url.database:
        with closing(sqlite3.connect(url.database, timeout=float(str(url.query.get("timeout", "60"))))) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    engine = create_engine(configuration.db_url)
    if not inspect(engine).get_table_names():
        from alembic.script import ScriptDirectory

        head = ScriptDirectory(os.fspath(dbutil.ALEMBIC_DIR)).get_current_head()
        with engine.begin() as connection:
            api.Base.metadata.create_all(connection)
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            connection.exec_driver_sql(f"INSERT INTO alembic_version (version_num) VALUES ('{head}')")
    engine.dispose()
    gradebook = api.Gradebook(configuration.db_url, configuration.course_id)
    try:
        yield gradebook
    finally:
        gradebook.close()


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Say of an error of the database what it means."""
    from sqlalchemy.exc import SQLAlchemyError

    where = url.partition("?")[0].removeprefix("sqlite:///")
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        said = str(getattr(error, "orig", None) or error).partition("\n")[0]
        hints = {"locked": "another program is using it; end that program", "readonly": "make it writable"}
        hint = next((hint for word, hint in hints.items() if word in said), "see to it")
        raise GradebookError(
            f"{where} could not be written ({said}): {hint}, and grade again; nothing in it was changed"
        ) from error
