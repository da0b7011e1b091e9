"""nbgrader's gradebook: everything about some submissions goes into it in one transaction, or nothing does.

What nbgrader would have written is written as it writes it, so that formgrader, ``generate_feedback`` and ``export``
go on from here.  What a person entered stays: manual scores and comments, extensions, names.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from autograder.grading.assignment import Assignment, grade_id
from autograder.grading.configuration import Configuration
from autograder.grading.due_dates import Extensions, Penalty, penalty_of, read_extensions, submitted_at
from autograder.grading.gradebook_rows import Cells, GradebookError, KnownNotebook, Rows
from autograder.grading.graded import GradedNotebook, GradedSubmission
from autograder.grading.marking import comments_on, scores_of
from autograder.grading.releasing import released

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from nbgrader.api import Gradebook, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy.orm import Session

    _Written = tuple[SubmittedAssignment, list[SubmittedNotebook]]

#: What to do about an error of the database, by a word in it.
_HINTS: Final = {
    "locked": "another program is using it; end that program",
    "readonly": "make it writable",
    "full": "make room on its disk",
    "No space": "make room on its disk",
    "disk I/O": "see that its disk works and has room",
    "unable to open": "see that its folder is there, may be written and has room",
}
#: What nbgrader writes on an answer that nobody changed.
NO_RESPONSE: Final = "No response."


class Recorder:
    """Writes the gradebook of a course, in as many transactions as it is asked to.

    It is opened when something is to be written, and in between nobody is kept from writing it.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._opened = ExitStack()
        self._gradebook: Gradebook | None = None
        self._released: dict[str, dict[str, NotebookNode]] = {}
        self._recorded = 0

    def record(self, assignments: Iterable[Assignment], submissions: Sequence[GradedSubmission]) -> None:
        """Write submissions with their students, scores, comments and penalties, and the assignments that they are of.

        Raises ``GradebookError``, and ``BadCourse`` for what the course says of due dates and penalties.
        """
        handed = [graded for graded in submissions if graded.handed_in]
        names = {graded.submission.assignment for graded in handed}
        with self._transaction() as session:
            for assignment in assignments:
                if assignment.name in names:
                    own = [graded for graded in handed if graded.submission.assignment == assignment.name]
                    self._record(session, self._cells(session, assignment), own)
        self._recorded += len(handed)

    def introduce(self, assignment: Assignment) -> None:
        """Write an assignment of which nothing was handed in yet; raises ``GradebookError``."""
        with self._transaction() as session:
            self._cells(session, assignment)

    def close(self) -> None:
        """Nothing more is written."""
        self._opened.close()
        self._gradebook = None

    def _record(self, session: Session, cells: Cells, submissions: Sequence[GradedSubmission]) -> None:
        rows = Rows(session, cells, {graded.submission.student for graded in submissions})
        written = [_record_submission(rows, cells, graded) for graded in submissions]
        rows.write()
        for submitted, notebooks in written:
            _record_lateness(session, cells.duedate, submitted, notebooks, self._extensions, self._penalty)
        session.flush()

    def _cells(self, session: Session, assignment: Assignment) -> Cells:
        if assignment.name not in self._released:
            self._released[assignment.name] = {
                notebook.name: released(self._configuration, assignment, notebook) for notebook in assignment.notebooks
            }
        return Cells(session, self._configuration, assignment, self._released[assignment.name])

    @cached_property
    def _extensions(self) -> Extensions | None:
        return read_extensions(self._configuration.course)

    @cached_property
    def _penalty(self) -> Penalty:
        return penalty_of(self._configuration)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """A session whose work is kept as a whole; whatever goes wrong with the database is a ``GradebookError``."""
        with _explained(self._configuration.db_url, self._recorded):
            if self._gradebook is None:
                self._gradebook = self._opened.enter_context(opened(self._configuration))
            session = self._gradebook.db
            try:
                if session.get_bind().dialect.name == "sqlite":
                    # nobody else writes between our reads and writes
                    session.connection().exec_driver_sql("BEGIN IMMEDIATE")
                session.autoflush = False  # what is looked for was read at the beginning, and not asked for again
                yield session
                session.commit()
            finally:
                session.rollback()
                session.expunge_all()


def _record_submission(rows: Rows, cells: Cells, graded: GradedSubmission) -> _Written:
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
    student = submitted.student_id
    if extensions is not None:
        submitted.extension = extensions.extension(student, submitted.assignment.name, due)
    if late := submitted.total_seconds_late:
        for notebook in notebooks:
            session.refresh(notebook, ["score"])  # the database adds it up
            notebook.late_submission_penalty = penalty(student, notebook.score, late)


def _record_scores(rows: Rows, known: KnownNotebook, submitted: str, notebook: GradedNotebook) -> None:
    scores, comments = scores_of(notebook), comments_on(notebook)
    untouched = _untouched(notebook, known.checksums)
    for identity, cell in known.graded.items():
        rows.grade(submitted, cell, scores.get(identity, 0 if identity in untouched else None))
    for identity, cell in known.commented.items():
        rows.comment(submitted, cell, comments.get(identity, NO_RESPONSE if identity in untouched else None))


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
def _explained(url: str, recorded: int = 0) -> Iterator[None]:
    """Say of an error of the database what it means; so many submissions have been written before."""
    from sqlalchemy.exc import SQLAlchemyError

    where = url.partition("?")[0].removeprefix("sqlite:///")
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        said = str(getattr(error, "orig", None) or error).partition("\n")[0]
        hint = next((hint for word, hint in _HINTS.items() if word in said), "see to it")
        kept = f"it has {recorded} submissions of this run" if recorded else "nothing in it was changed"
        raise GradebookError(f"{where} could not be written ({said}): {hint}, and grade again; {kept}") from error
