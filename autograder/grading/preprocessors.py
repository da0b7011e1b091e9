"""What ``nbgrader autograde`` does here: read submissions safely, put cells right, judge instead of execute.

Named in ``nbgrader_config.py``.  nbgrader converts a notebook twice: from ``submitted`` to ``autograded``, cleaning it,
and from ``autograded`` in place, grading it.  Both times ``SubmissionExporter`` reads it; what the first pass found out
is kept in the notebook's metadata under ``autograder``, which that pass writes whatever the student put there.
"""

from __future__ import annotations

import glob
import io
import os
import stat
import time
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor, SaveAutoGrades

from autograder.checks import Status
from autograder.exercises import sheets
from autograder.grading.assignment import BadCourse, Notebook, load_assignments
from autograder.grading.autograded import metadata_of
from autograder.grading.batch import open_engine
from autograder.grading.due_dates import read_extensions, submitted_at
from autograder.grading.engine import Engine
from autograder.grading.graded import GradedNotebook, GradedSubmission
from autograder.grading.ledger import Ledger
from autograder.grading.marking import comments_on, marked_cells, scores_of
from autograder.grading.restoring import Note, blank, restored, valid
from autograder.grading.submissions import Submission, Unreadable, is_shallow, read_notebook, sheet_of

Resources = dict[str, Any]

#: Files of a submission that are left out one by one.
ODD_LIMIT = 20

#: The key of our notes in a notebook's metadata.
OURS = "autograder"


class CarefulDirectory(CourseDirectory):  # type: ignore[misc]  # nbgrader has no types
    """The course's folders, where nbgrader copies only plain files and reads only times.

    nbgrader follows links, waits for pipes to be written to, and copies devices to their end.
    """

    @classmethod
    def like(cls, given: CourseDirectory, submissions: list[str]) -> CarefulDirectory:
        """The same, with what is no plain file in ``submissions`` (folders) being ignored."""
        same = {name: getattr(given, name) for name in given.traits(config=True)}
        odd = [glob.escape(path) for folder in submissions for path in _odd_files(folder)]
        return cls(parent=given.parent, **{**same, "ignore": [*same["ignore"], *odd]})

    def get_existing_timestamp(self, dest_path: str) -> datetime | None:
        """When a submission was made; None where no file says so that can be understood."""
        return submitted_at(Path(dest_path))


class SubmissionExporter(NotebookExporter):
    """Reads notebooks as ``autograder grade`` does; keeps the engine warm from one student to the next.

    nbgrader changes to the course's folder before it converts anything.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        if isinstance(self.parent, Autograde):
            self.parent.coursedir = CarefulDirectory.like(self.parent.coursedir, list(self.parent.assignments))

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
            if path.parent.is_symlink() or path.parent.parent.is_symlink():
                raise Unreadable("a link stands where a folder should; hand in the folder of the assignment itself")
            document = read_notebook(path)
        except Unreadable as error:
            resources["nbgrader"]["unreadable"] = str(error)
        except OSError as error:
            resources["nbgrader"]["unreadable"] = f"the notebook cannot be opened: {error.strerror}"
        found = document.get("metadata")
        ours = found.get(OURS) if isinstance(found, dict) else None
        known = {sheets.KEY: sheet_of(document), OURS: ours if is_shallow(ours) else None}
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
        unreadable = resources["nbgrader"].get("unreadable", "")
        fixed = restored(nb.cells, source)
        cells = blank(source) if unreadable else fixed.cells
        notes = [] if unreadable else [[note.cell, note.text, note.is_tampering] for note in fixed.notes]
        ours = {"unreadable": unreadable, "notes": notes, sheets.KEY: sheet_of(nb)}
        return _node(cells, {**metadata_of(source), OURS: ours}), resources


class EngineGrade(NbGraderPreprocessor):  # type: ignore[misc]
    """Second pass: judges the answers and writes the verdicts into the check cells; nothing is executed."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """The notebook with outputs; the verdicts go on in ``resources``."""
        exporter = _exporter(self)
        source = exporter.source_of(resources)
        begin = time.perf_counter()
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
        notes = tuple(dict.fromkeys((*(Note(*note) for note in ours["notes"]), *judged.notes)))
        seconds = time.perf_counter() - begin
        graded = GradedNotebook(judged.notebook, cells, judged.graded, notes, seconds)
        resources["nbgrader"]["graded"] = graded
        return _node(marked_cells(graded), metadata_of(source)), resources


class SaveVerdicts(SaveAutoGrades):  # type: ignore[misc]
    """Writes scores and comments as nbgrader does; what was not judged gets none and waits for a person.

    The ledger gets what ``autograder grade`` writes into it, so that reports know of both.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """The same notebook; gradebook and ledger have what was said of it, and of those that were not handed in."""
        converted: tuple[NotebookNode, Resources] = super().preprocess(nb, resources)
        student, assignment = resources["nbgrader"]["student"], resources["nbgrader"]["assignment"]
        submission = Submission(student, assignment, Path("submitted", student, assignment))
        missing = self._missing(submission)
        if missing:
            self._record_missing(submission, missing)
        self._remember(GradedSubmission(submission, (resources["nbgrader"]["graded"], *missing)))
        return converted

    def _missing(self, submission: Submission) -> list[GradedNotebook]:
        """What is said of those notebooks of an assignment that are not there."""
        (known,) = load_assignments(Path.cwd(), submission.assignment)
        there = {one.name for one in known.notebooks if os.path.lexists(submission.folder / f"{one.name}.ipynb")}
        return [_exporter(self).engine.missing(one) for one in known.notebooks if one.name not in there]

    def _record_missing(self, submission: Submission, missing: list[GradedNotebook]) -> None:
        """Take back the 0 that nbgrader gives for a notebook that is missing."""
        comments = {notebook.notebook: comments_on(notebook) for notebook in missing}
        with Gradebook(self.db_url) as gradebook:
            for notebook in gradebook.find_submission(submission.assignment, submission.student).notebooks:
                if notebook.name in comments:
                    for grade in notebook.grades:
                        grade.auto_score, grade.needs_manual_grade = None, True
                    for comment in notebook.comments:
                        comment.auto_comment = comments[notebook.name].get(comment.name)
            gradebook.db.commit()

    def _remember(self, graded: GradedSubmission) -> None:
        """Write into the ledger what was said; nbgrader's log tells if that is not possible."""
        said = io.StringIO()
        with Ledger.open(Path.cwd(), said) as ledger:
            ledger.add(graded.entries(), graded.readings())
        if said.getvalue():
            self.log.warning(said.getvalue().strip())

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


class LatePenalties(AssignLatePenalties):  # type: ignore[misc]
    """As ``AssignLatePenalties``, after the extensions of the course have been put into the gradebook."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """The same notebook; the gradebook has its penalty."""
        if (extensions := read_extensions(Path.cwd())) is not None:
            names = resources["nbgrader"]
            with Gradebook(names["db_url"]) as gradebook:
                submission = gradebook.find_submission(names["assignment"], names["student"])
                due = submission.assignment.duedate
                if due is not None:
                    submission.extension = extensions.extension(names["student"], names["assignment"], due)
                    gradebook.db.commit()
        converted: tuple[NotebookNode, Resources] = super().preprocess(nb, resources)
        return converted


def _exporter(preprocessor: NbGraderPreprocessor) -> SubmissionExporter:
    exporter = preprocessor.parent
    if not isinstance(exporter, SubmissionExporter):
        raise BadCourse(f"nbgrader_config.py must set c.Autograde.exporter_class to {SubmissionExporter.__name__}")
    return exporter


def _odd_files(folder: str) -> list[str]:
    """What nbgrader must not copy of a submission: what is no plain file.

    All of it where there is too much of that, or where it is too deep to be looked through.
    """
    if Path(folder).is_symlink() or Path(folder).parent.is_symlink():
        return [folder]
    walk = os.walk(folder)
    paths = (os.path.join(where, name) for where, _, names in walk for name in names)  # noqa: PTH118  as nbgrader has them
    try:
        odd = [path for path in paths if not stat.S_ISREG(os.lstat(path).st_mode)]
    except (OSError, RecursionError):  # its folders lie deeper than the system, or Python, goes down
        return [folder]
    return odd if len(odd) <= ODD_LIMIT else [folder]


def _node(cells: list[Any], metadata: dict[str, Any]) -> NotebookNode:
    document = {"cells": valid(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    node: NotebookNode = nbformat.from_dict(document)  # type: ignore[no-untyped-call]  # nbformat has no types
    return node
