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
from datetime import datetime
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
    from sqlalchemy.orm import Query, Session

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
        session.autoflush = False  # what is looked for was read at the beginning, and not asked for again
        for assignment in batch.assignments:
            cells = _Cells(session, configuration, assignment)
            rows = _Rows(session, cells)
            written = [
                _record_submission(rows, cells, graded)
                for graded in batch.submissions
                if graded.handed_in and graded.submission.assignment == assignment.name
            ]
            session.flush()
            for submitted, notebooks in written:
                _record_lateness(session, cells.duedate, submitted, notebooks, extensions, penalty)
            session.flush()
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
        self.duedate = row.duedate
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


class _Rows:
    """What the gradebook holds of an assignment's submissions, read in one go; what is not there is made."""

    def __init__(self, session: Session, cells: _Cells) -> None:
        from nbgrader import api

        self._session, self._api = session, api
        self._students = {name for (name,) in session.query(api.Student.id)}
        assignments = session.query(api.SubmittedAssignment).filter_by(assignment_id=cells.id)
        self._assignments = {row.student_id: row for row in _alone(assignments, api.SubmittedAssignment)}
        ids = {known.id for known in cells.notebooks.values()}
        notebooks = session.query(api.SubmittedNotebook).filter(api.SubmittedNotebook.notebook_id.in_(ids))
        self._notebooks = {
            (row.assignment_id, row.notebook_id): row for row in _alone(notebooks, api.SubmittedNotebook)
        }
        self._marks = {
            (kind, row.notebook_id, row.cell_id): row
            for kind in (api.Grade, api.Comment)
            for row in _alone(
                session.query(kind).filter(
                    kind.notebook_id.in_(notebooks.with_entities(api.SubmittedNotebook.id).scalar_subquery())
                ),
                kind,
            )
        }

    def assignment(self, student: str, assignment: str) -> SubmittedAssignment:
        """A student's submission; the student too if there was none."""
        if student not in self._students:
            self._students.add(student)
            self._session.add(self._api.Student(id=student))
            self._session.flush()  # before whatever refers to it
        if student not in self._assignments:
            ids = {"assignment_id": assignment, "student_id": student}
            self._assignments[student] = self._made(self._api.SubmittedAssignment, ids)
        return self._assignments[student]

    def notebook(self, submitted: str, notebook: str) -> SubmittedNotebook:
        """A notebook of a submission."""
        if (submitted, notebook) not in self._notebooks:
            ids = {"assignment_id": submitted, "notebook_id": notebook}
            self._notebooks[submitted, notebook] = self._made(self._api.SubmittedNotebook, ids)
        return self._notebooks[submitted, notebook]

    def mark(self, kind: type[Any], notebook: str, cell: str) -> Any:
        """The grade or comment of a cell in a submitted notebook."""
        if (kind, notebook, cell) not in self._marks:
            self._marks[kind, notebook, cell] = self._made(kind, {"cell_id": cell, "notebook_id": notebook})
        return self._marks[kind, notebook, cell]

    def _made(self, kind: type[Any], ids: dict[str, str]) -> Any:
        row = kind(id=self._api.new_uuid(), **ids)
        self._session.add(row)
        return row


def _alone(query: Query[Any], kind: type[Any]) -> Query[Any]:
    """The rows without what nbgrader adds up for each from other tables, which takes its time."""
    from sqlalchemy import inspect
    from sqlalchemy.orm import load_only

    names = [column.name for column in kind.__table__.columns]
    own = [attribute.key for attribute in inspect(kind).column_attrs if attribute.columns[0].name in names]
    return query.options(load_only(*(getattr(kind, name) for name in own)))


def _record_submission(rows: _Rows, cells: _Cells, graded: GradedSubmission) -> _Written:
    submitted = rows.assignment(graded.submission.student, cells.id)
    if (timestamp := submitted_at(graded.submission.folder)) is not None:
        submitted.timestamp = timestamp
    notebooks: list[SubmittedNotebook] = []
    for notebook in graded.notebooks:
        known = cells.notebooks[notebook.notebook]
        submitted_notebook = rows.notebook(submitted.id, known.id)
        _record_scores(rows, known, submitted_notebook.id, notebook)
        notebooks.append(submitted_notebook)
    return submitted, notebooks


def _record_lateness(
    session: Session,
    due: datetime | None,
    submitted: SubmittedAssignment,
    notebooks: Sequence[SubmittedNotebook],
    extensions: Extensions | None,
    penalty: Penalty,
) -> None:
    """Write the extension and the penalty, as nbgrader's ``AssignLatePenalties`` does."""
    for notebook in notebooks:
        notebook.late_submission_penalty = None
    if due is None:
        return  # nbgrader cannot add an extension to no date
    session.flush()
    student = submitted.student_id
    if extensions is not None:
        submitted.extension = extensions.extension(student, submitted.assignment.name, due)
    if late := submitted.total_seconds_late:
        for notebook in notebooks:
            session.refresh(notebook, ["score"])  # the database adds it up
            notebook.late_submission_penalty = penalty(student, notebook.score, late)


def _record_scores(rows: _Rows, known: _KnownNotebook, submitted: str, notebook: GradedNotebook) -> None:
    from nbgrader import api

    scores, comments = scores_of(notebook), comments_on(notebook)
    untouched = _untouched(notebook, known.checksums)
    for identity, cell in known.graded.items():
        grade = rows.mark(api.Grade, submitted, cell)
        grade.auto_score = scores.get(identity, 0 if identity in untouched else None)
        grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
    for identity, cell in known.commented.items():
        comment = rows.mark(api.Comment, submitted, cell)
        comment.auto_comment = comments.get(identity, NO_RESPONSE if identity in untouched else None)


def _untouched(notebook: GradedNotebook, checksums: dict[str, str]) -> set[str]:
    """The answers that are not the engine's to judge and that stand as they were released."""
    import nbformat
    from nbgrader import utils

    judged = {cell for one in notebook.graded for cell in (one.task.answer_cell, one.task.check_cell)}
    found = set()
    for cell in notebook.cells:
        if (identity := grade_id(cell)) in checksums and identity not in judged:
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
