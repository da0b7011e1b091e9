"""The hostile class: who is in it, what they hand in, and grading it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cases_commands
import cases_files
import cases_manifests
import cases_notebooks
import pytest
from case import Case, holding
from hostile_course import notebook
from small_course import ASSIGNMENT, SmallCourse
from snapshots import Snapshot, snapshot

from autograder.cli import main
from autograder.exercises import terminal
from autograder.grading import batch
from autograder.grading.batch import Batch

#: Students who do nothing out of the ordinary, among all the others in the alphabet.
HONEST = ("ada", "grace", "mary", "zoe")
CASES: dict[str, Case] = {
    case.name: case
    for module in (cases_notebooks, cases_manifests, cases_commands, cases_files)
    for case in module.cases()
}
#: What stands in files that no answer has any business with.
CANARY = "canary-7f3a1c"
#: What grading may write, below the folder of everything.
WRITTEN = ("course/gradebook.db", "course/verdicts.db", "course/autograded", "course/exercises/", "results.json", "tmp")


#: What the gradebook says of a cell: its name, the comment, the score, whether it needs a person.
Row = tuple[str, str, float | None, bool]


@dataclass(frozen=True)
class Graded:
    """A class that was graded: the code of the command, what it printed, and everything that lay there before."""

    root: Path
    course: SmallCourse
    batch: Batch
    code: int
    printed: str
    before: Snapshot


@dataclass(frozen=True)
class Twice:
    """A class that was graded, and then graded again; and the gradebook in between, by student."""

    first: Graded
    rows: dict[str, list[Row]]
    again: Graded


def hand_in_honestly(course: SmallCourse) -> None:
    """What the honest students do; one of them makes a mistake."""
    for student in HONEST:
        course.hand_in(student, notebook(limits="kind: [") if student == "mary" else notebook())


def submissions(course: SmallCourse) -> None:
    """The whole class."""
    hand_in_honestly(course)
    submitted = course.root / "submitted"
    for case in CASES.values():
        folder = submitted / case.name / ASSIGNMENT
        folder.mkdir(parents=True)
        case.hand_in(folder)
    for name, content in cases_notebooks.HARMLESS.items():
        course.hand_in(name, content)
    for name in (*cases_files.STUDENTS, *cases_files.STRAYS):
        folder = submitted / name / ASSIGNMENT
        folder.mkdir(parents=True)
        holding(notebook())(folder)


def outside(root: Path) -> None:
    """Files of others, each with the canary in it."""
    folder = root / "outside"
    folder.mkdir()
    (folder / "canary.ipynb").write_text(f'{{"cells": [], "secret": "{CANARY}"}}')
    (folder / "canary.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {CANARY}}}\n")


def grade(root: Path, course: SmallCourse, *arguments: str) -> Graded:
    """``autograder grade`` in this process."""
    batches: list[Batch] = []
    graded = batch.grade

    def kept(*given: Any, **options: Any) -> Batch:
        batches.append(graded(*given, **options))
        return batches[-1]

    (root / "tmp").mkdir(exist_ok=True)
    before = snapshot(root, WRITTEN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "grade", kept)
        patch.setattr(terminal, "COMMAND_SECONDS", 4.0)
        patch.setattr(tempfile, "tempdir", str(root / "tmp"))
        patch.setenv("TMPDIR", str(root / "tmp"))
        patch.setenv("SECRET_OF_THE_GRADER", CANARY)
        with (root / "tmp.out").open("w+") as out, pytest.MonkeyPatch.context() as printing:
            printing.setattr("sys.stdout", out)
            printing.setattr("sys.stderr", out)
            code = main(["grade", "--course", str(course.root), "--workers", "2", *arguments])
            out.seek(0)
            printed = out.read()
    (root / "tmp.out").unlink()
    in_memory = replace(batches[0], submissions=tuple(batches[0].submissions))
    return Graded(root, course, in_memory, code, printed, before)


def grade_twice(root: Path, course: SmallCourse) -> Twice:
    """``autograder grade``, and once more."""
    first = grade(root, course)
    between = {student: rows(course.root, student) for student in (*CASES, *HONEST)}
    return Twice(first, between, grade(root, course))


def text_of_everything(graded: Graded) -> str:
    """All that grading wrote, in one text: printed lines, notebooks, databases as they lie on the disk."""
    course = graded.course.root
    files = [*(course / "autograded").rglob("*"), *course.glob("*.db*")]
    texts = [path.read_bytes().decode("utf-8", "replace") for path in files if path.is_file()]
    return "\n".join([graded.printed, *texts, *map(os.fsdecode, [str(path) for path in files])])


def rows(course: Path, student: str) -> list[Row]:
    """Everything that the gradebook says of a student."""
    query = """
        SELECT base_cell.name, coalesce(comment.auto_comment, ''), grade.auto_score, grade.needs_manual_grade
        FROM submitted_assignment AS submission
        JOIN submitted_notebook AS notebook ON notebook.assignment_id = submission.id
        JOIN base_cell ON base_cell.notebook_id = notebook.notebook_id
        LEFT JOIN grade ON grade.cell_id = base_cell.id AND grade.notebook_id = notebook.id
        LEFT JOIN comment ON comment.cell_id = base_cell.id AND comment.notebook_id = notebook.id
        WHERE submission.student_id = ? ORDER BY base_cell.name
    """
    with closing(sqlite3.connect(course / "gradebook.db")) as database:
        return database.execute(query, (student,)).fetchall()
