"""The rows of nbgrader's gradebook: those that describe an assignment, and those of what students handed in.

They are read in one go and made where they are not there, with no more queries for many submissions than for one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder.grading.assignment import Assignment, grade_id
from autograder.grading.configuration import Configuration

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from nbgrader.api import Comment, Grade, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy.orm import Query, Session


class GradebookError(Exception):
    """The gradebook could not be written; what was not written is as it was, and the message says what to do."""


@dataclass(slots=True)
class KnownNotebook:
    """One notebook's rows in the gradebook: ids of cells by ``grade_id``, and checksums as they were released."""

    id: str
    graded: dict[str, str]
    commented: dict[str, str]
    checksums: dict[str, str]


class Cells:
    """The rows that describe an assignment, made or brought up to date."""

    def __init__(
        self,
        session: Session,
        configuration: Configuration,
        assignment: Assignment,
        released: Mapping[str, NotebookNode],
    ) -> None:
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
        self.notebooks = {name: self._notebook(name, node) for name, node in released.items()}
        session.flush()

    def _notebook(self, name: str, node: NotebookNode) -> KnownNotebook:
        from nbgrader import utils

        api = self._api
        row = self._session.query(api.Notebook).filter_by(name=name, assignment_id=self.id).one_or_none()
        if row is None:
            row = api.Notebook(id=api.new_uuid(), name=name, assignment_id=self.id)
            self._session.add(row)
        row.kernelspec = json.dumps(node.metadata.get("kernelspec", {}))
        known = KnownNotebook(row.id, {}, {}, {})
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

    def _remove_others(self, notebook: str, name: str, known: KnownNotebook) -> None:
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


class Rows:
    """What the gradebook holds of some students' work on an assignment, read in one go; what is not there is made.

    Every cell is given its grade and its comment at most once; they are sent by ``write``.
    """

    def __init__(self, session: Session, cells: Cells, students: Set[str]) -> None:
        from nbgrader import api

        self._session, self._api = session, api
        known = {name for (name,) in session.query(api.Student.id).filter(api.Student.id.in_(students))}
        session.add_all(api.Student(id=name) for name in sorted(students - known))
        session.flush()  # before whatever refers to them
        assignments = session.query(api.SubmittedAssignment).filter(
            api.SubmittedAssignment.assignment_id == cells.id, api.SubmittedAssignment.student_id.in_(students)
        )
        self._assignments = {row.student_id: row for row in _alone(assignments, api.SubmittedAssignment)}
        ids = {row.id for row in self._assignments.values()}
        notebooks = session.query(api.SubmittedNotebook).filter(api.SubmittedNotebook.assignment_id.in_(ids))
        self._notebooks = {
            (row.assignment_id, row.notebook_id): row for row in _alone(notebooks, api.SubmittedNotebook)
        }
        handed_in = notebooks.with_entities(api.SubmittedNotebook.id).scalar_subquery()
        self._grades: dict[tuple[str, str], Grade] = self._marks(api.Grade, handed_in)
        self._comments: dict[tuple[str, str], Comment] = self._marks(api.Comment, handed_in)
        self._new: dict[type[Any], list[dict[str, Any]]] = {api.Grade: [], api.Comment: []}

    def assignment(self, student: str, assignment: str) -> SubmittedAssignment:
        """A student's submission."""
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

    def grade(self, notebook: str, cell: str, score: float | None) -> None:
        """Give a cell of a submitted notebook a score; None asks for a person."""
        if (row := self._grades.get((notebook, cell))) is None:
            self._put(self._api.Grade, notebook, cell, auto_score=score, needs_manual_grade=score is None)
        else:
            row.auto_score = score
            row.needs_manual_grade = score is None or row.manual_score is not None

    def comment(self, notebook: str, cell: str, text: str | None) -> None:
        """Put a comment on a cell of a submitted notebook."""
        if (row := self._comments.get((notebook, cell))) is None:
            self._put(self._api.Comment, notebook, cell, auto_comment=text)
        else:
            row.auto_comment = text

    def write(self) -> None:
        """Send everything to the database: grades and comments that were not there as values, which are quicker."""
        from sqlalchemy import insert

        self._session.flush()
        for kind, values in self._new.items():
            if values:
                self._session.execute(insert(kind), values)
                values.clear()

    def _marks(self, kind: type[Any], notebooks: Any) -> dict[tuple[str, str], Any]:
        found = self._session.query(kind).filter(kind.notebook_id.in_(notebooks))
        return {(row.notebook_id, row.cell_id): row for row in _alone(found, kind)}

    def _put(self, kind: type[Any], notebook: str, cell: str, **values: Any) -> None:
        self._new[kind].append({"id": self._api.new_uuid(), "notebook_id": notebook, "cell_id": cell, **values})

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
