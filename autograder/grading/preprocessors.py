"""What ``nbgrader autograde`` does here: read submissions safely, put cells right, judge instead of execute.

Named in ``nbgrader_config.py``.  nbgrader converts a notebook twice: from ``submitted`` to ``autograded``, cleaning it,
and from ``autograded`` in place, grading it.  Both times ``SubmissionExporter`` reads it; what the first pass found out
is kept in the notebook's metadata under ``autograder``, which that pass writes whatever the student put there.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from autograder.checks import Status
from autograder.exercises import sheets
from autograder.grading.assignment import BadCourse, Notebook, load_assignments
from autograder.grading.autograded import metadata_of
from autograder.grading.batch import open_engine
from autograder.grading.engine import Engine, GradedNotebook
from autograder.grading.marking import comments_on, marked_cells, scores_of
from autograder.grading.restoring import Note, blank, restored, valid
from autograder.grading.submissions import Unreadable, read_notebook, sheet_of

Resources = dict[str, Any]

#: The key of our notes in a notebook's metadata.
OURS = "autograder"


class SubmissionExporter(NotebookExporter):
    """Reads notebooks as ``autograder grade`` does; keeps the engine warm from one student to the next.

    nbgrader changes to the course's folder before it converts anything.
    """

    @cached_property
    def engine(self) -> Engine:
        """The engine that judges answers."""
        return open_engine(Path.cwd())

    def from_filename(self, filename: str, resources: Resources | None = None, **kw: Any) -> tuple[Any, Resources]:
        """A notebook from a file; one that cannot be read is empty, and ``resources`` say why."""
        resources = {} if resources is None else resources
        path = Path(filename)
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        document: dict[str, Any] = {"cells": []}
        try:
            document = read_notebook(path)
        except Unreadable as error:
            resources["nbgrader"]["unreadable"] = str(error)
        except OSError as error:
            resources["nbgrader"]["unreadable"] = f"the notebook cannot be opened: {error.strerror}"
        found = document.get("metadata")
        known = {key: found[key] for key in (OURS, sheets.KEY) if key in found} if isinstance(found, dict) else {}
        node = _node(document["cells"], known)
        converted: tuple[Any, Resources] = self.from_notebook_node(node, resources=resources, **kw)  # type: ignore[no-untyped-call]
        return converted

    def source_of(self, resources: Resources) -> Notebook:
        """The source notebook of what is being converted."""
        assignment, name = resources["nbgrader"]["assignment"], resources["nbgrader"]["notebook"]
        for notebook in load_assignments(Path.cwd(), assignment)[0].notebooks:
            if notebook.name == name:
                return notebook
        raise BadCourse(f"source/{assignment} has no notebook {name}.ipynb")


class RestoreMetadata(NbGraderPreprocessor):  # type: ignore[misc]
    """First pass: undoes what was tampered with, so that what follows meets only cells as nbgrader knows them."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """The notebook with all known cells put right."""
        source = _exporter(self).source_of(resources)
        _forget_links(resources["nbgrader"]["student"], resources["nbgrader"]["assignment"])
        unreadable = resources["nbgrader"].get("unreadable", "")
        fixed = restored(nb.cells, source)
        cells = blank(source) if unreadable else fixed.cells
        notes = [] if unreadable else [[note.cell, note.text] for note in fixed.notes]
        ours = {"unreadable": unreadable, "notes": notes, sheets.KEY: sheet_of(nb)}
        return _node(cells, {**metadata_of(source), OURS: ours}), resources


class EngineGrade(NbGraderPreprocessor):  # type: ignore[misc]
    """Second pass: judges the answers and writes the verdicts into the check cells; nothing is executed."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """The notebook with outputs; the verdicts go on in ``resources``."""
        exporter = _exporter(self)
        source = exporter.source_of(resources)
        ours = nb.metadata[OURS]
        if ours["unreadable"]:
            judged = exporter.engine.unreadable(source, ours["unreadable"])
        else:
            student = resources["nbgrader"]["student"]
            judged = exporter.engine.grade_cells(source, nb.cells, student, ours[sheets.KEY])
        if any(one.verdict.status is Status.TIMED_OUT for one in judged.graded):
            del exporter.engine  # it was stopped in the middle of something; the next student gets a new one
        # the first pass has put them right, so they are the same; their metadata has the gradebook's checksums
        cells = [{**cell, "metadata": had.metadata} for cell, had in zip(judged.cells, nb.cells, strict=True)]
        notes = tuple(dict.fromkeys((*(Note(cell, text) for cell, text in ours["notes"]), *judged.notes)))
        graded = GradedNotebook(judged.notebook, cells, judged.graded, notes)
        resources["nbgrader"]["graded"] = graded
        return _node(marked_cells(graded), metadata_of(source)), resources


class SaveVerdicts(SaveAutoGrades):  # type: ignore[misc]
    """Writes scores and comments as nbgrader does; what was not judged gets none and waits for a person."""

    def _add_score(self, cell: NotebookNode, resources: Resources) -> None:
        scores = scores_of(resources["nbgrader"]["graded"])
        identity = cell.metadata.nbgrader["grade_id"]
        if identity not in scores and utils.is_solution(cell):
            super()._add_score(cell, resources)
            return
        grade = self.gradebook.find_grade(identity, self.notebook_id, self.assignment_id, self.student_id)
        grade.auto_score = scores.get(identity)
        grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
        self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: Resources) -> None:
        comments = comments_on(resources["nbgrader"]["graded"])
        identity = cell.metadata.nbgrader["grade_id"]
        if identity not in comments:
            super()._add_comment(cell, resources)
            return
        comment = self.gradebook.find_comment(identity, self.notebook_id, self.assignment_id, self.student_id)
        comment.auto_comment = comments[identity]
        self.gradebook.db.commit()


def _exporter(preprocessor: NbGraderPreprocessor) -> SubmissionExporter:
    exporter = preprocessor.parent
    if not isinstance(exporter, SubmissionExporter):
        raise BadCourse(f"nbgrader_config.py must set c.Autograde.exporter_class to {SubmissionExporter.__name__}")
    return exporter


def _forget_links(student: str, assignment: str) -> None:
    """Remove what nbgrader has copied by following links of the student; it would come back with the feedback."""
    submitted, copied = (Path(folder, student, assignment) for folder in ("submitted", "autograded"))
    for path in submitted.rglob("*"):
        if path.is_symlink():
            (copied / path.relative_to(submitted)).unlink(missing_ok=True)


def _node(cells: list[Any], metadata: dict[str, Any]) -> NotebookNode:
    document = {"cells": valid(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    node: NotebookNode = nbformat.from_dict(document)  # type: ignore[no-untyped-call]  # nbformat has no types
    return node
