"""A class has the same grades and the same feedback, byte for byte, whoever judges it and how often.

Between them the two classes answer in every form: manifests, commands, predictions, programs, and free texts.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import own_plugin
import pytest
from patient_dask import patient_dask
from small_course import ROOT, SmallCourse, cell_of, code, source_notebook, with_essay

from autograder.cli import main
from autograder.exercises import load, sandbox
from autograder.grading.assignment import load_assignments
from autograder.grading.configuration import configuration
from benchmarks.classes import hand_in, make_course

converters = pytest.importorskip("nbgrader.converters")
pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="Dask's processes are forked from a server here"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

#: A lesson with answers in these forms, and how many students of a class hand it in.
LESSON = "07-pods"
FORMS = {"manifest", "commands", "prediction"}
STUDENTS = 2
Left = dict[str, Any]

SCORES = """
SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.needs_manual_grade
FROM grade JOIN base_cell ON base_cell.id = grade.cell_id
JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
ORDER BY 1, 2
"""
COMMENTS = SCORES.replace("grade.auto_score, grade.needs_manual_grade", "comment.auto_comment, 0")
COMMENTS = COMMENTS.replace("FROM grade", "FROM comment").replace("grade.", "comment.")


@dataclass(frozen=True)
class Class:
    """A course in whose one lesson somebody has handed in, and the ways of grading it."""

    root: Path
    lesson: str

    def by_nbgrader(self, converter: str) -> None:
        """One of nbgrader's commands, in this process."""
        from nbgrader.coursedir import CourseDirectory

        config = configuration(self.root).config
        directory = CourseDirectory(config=config, assignment_id=self.lesson)
        getattr(converters, converter)(coursedir=directory, config=config).start()

    def grade(self, *arguments: str) -> Left:
        """``autograder grade``, and all that it leaves; what the ledger remembers is what it has written."""
        file = self.root / "results.json"
        assert main(["grade", "--course", str(self.root), "--json", str(file), *arguments]) in (0, 1)
        assert self.reported() == file.read_text()
        return self.left()

    def by_hand(self) -> Left:
        """The commands of nbgrader, in a course whose ledger is empty."""
        self.remove("verdicts.db*")
        self.by_nbgrader("GenerateAssignment")
        self.by_nbgrader("Autograde")
        return self.left()

    def reported(self) -> str:
        """The document of results, of what the ledger remembers."""
        out = self.root / "reports"
        assert main(["report", "json", "--course", str(self.root), "--out", str(out)]) == 0
        return (out / "results.json").read_text()

    def left(self) -> Left:
        """Everything that a run has left, which is then taken away; how long it took is not compared."""
        results = json.loads(self.reported())
        for submission in results["submissions"]:
            assert submission.pop("seconds") >= 0
        self.by_nbgrader("GenerateFeedback")
        with closing(sqlite3.connect(self.root / "gradebook.db")) as book:
            left: Left = {"scores": list(book.execute(SCORES)), "comments": list(book.execute(COMMENTS))}
        for path in sorted((self.root / "feedback").rglob("*.*")):
            left[str(path.relative_to(self.root))] = path.read_bytes()
        for path in sorted((self.root / "autograded").rglob("*.*")):
            left[str(path.relative_to(self.root))] = as_shown(path)
        for name in ("feedback", "autograded"):
            shutil.rmtree(self.root / name)
        self.remove("gradebook.db*")
        return {**left, "results": results}

    def remove(self, pattern: str) -> None:
        for path in self.root.glob(pattern):
            path.unlink()

    def everywhere(self) -> Left:
        """What grading leaves, which is the same in all ways."""
        alone = self.grade("--workers", "1", "--fresh")
        ways = {
            "four workers": ["--workers", "4", "--fresh"],
            "once more": ["--workers", "1", "--fresh"],
            "from the ledger": ["--workers", "4"],
        }
        for way, arguments in ways.items():
            assert self.grade(*arguments) == alone, way
        with patient_dask(2) as cluster:
            assert self.grade("--fresh", "--executor", f"dask:{cluster.scheduler_address}") == alone
        by_hand = self.by_hand()
        assert by_hand.keys() == alone.keys()
        for key, found in by_hand.items():
            assert found == alone[key], key
        return alone


def as_shown(path: Path) -> list[tuple[str, str, str, Any]]:
    """What a graded notebook shows; nbgrader has fields in it that nobody sees, and orders them."""
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    marks = [cell["metadata"].get("nbgrader", {}) for cell in cells]
    return [
        (cell["cell_type"], cell["source"], mark.get("grade_id", ""), cell.get("outputs"))
        for cell, mark in zip(cells, marks, strict=True)
    ]


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Back in the folder that we came from: nbgrader goes to that of the course.  And its log is not wanted."""
    monkeypatch.chdir(Path.cwd())
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def answered(path: Path, text: str) -> None:
    """Write a free text into a notebook that was handed in."""
    document = json.loads(path.read_text())
    cell_of(document, "essay")["source"] = text
    path.write_text(json.dumps(document))


@pytest.mark.timeout(900)  # six times a whole class
@pytest.mark.usefixtures("settled")
def test_manifests_commands_predictions_and_free_texts(tmp_path: Path) -> None:
    course = make_course(tmp_path / "course", [LESSON])
    assert {task.opening.form for task in load_assignments(course)[0].tasks} == FORMS
    source = course / "source" / LESSON / f"{LESSON}.ipynb"
    source.write_text(json.dumps(with_essay(json.loads(source.read_text()), "Why?")))
    hand_in(course, STUDENTS, seed=2)
    answered(course / "submitted" / "student-00000" / LESSON / f"{LESSON}.ipynb", "Because.")
    for student in ("grace", "linus"):  # whose notebooks are of before there was the free text
        shutil.copytree(ROOT / "course" / "submitted" / student / LESSON, course / "submitted" / student / LESSON)
    left = Class(course, LESSON).everywhere()
    scores = {(student, cell): (score, waits) for student, cell, score, waits in left["scores"]}
    assert len(scores) == (6 + 1) * (STUDENTS + 2)
    assert any(score for score, _ in scores.values())
    assert [scores[f"student-0000{number}", "essay"] for number in range(2)] == [(None, True), (0, False)]
    assert sum(name.startswith("feedback/") and name.endswith(".html") for name in left) == STUDENTS + 2


@pytest.mark.needs("bwrap or unshare")
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("settled")
def test_programs(course: SmallCourse) -> None:
    if trouble := sandbox.why_not():
        pytest.skip(trouble)
    own_plugin.write(course.root / "exercises")
    exercise = load(own_plugin.ID, course.root / "exercises")
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write("\nc.Autograder.allow_python = True\n")
    document = source_notebook()
    document["cells"] = [
        code(f"{exercise.header}\n### BEGIN SOLUTION\n{exercise.solution}### END SOLUTION", "answer", grade=False,
             solution=True),
        code(f'check("{own_plugin.ID}")', "check", grade=True, solution=False, locked=True, points=5),
    ]  # fmt: skip
    next((course.root / "source").rglob("*.ipynb")).write_text(json.dumps(document))
    for student, text in {"ada": exercise.solution, "ken": "def score(pod, node):\n    return 1 / 0\n"}.items():
        cell_of(document, "answer")["source"] = f"{exercise.header}\n{text}"
        course.hand_in(student, document)
    left = Class(course.root, course.assignment.name).everywhere()
    assert [(student, score) for student, _, score, _ in left["scores"]] == [("ada", 5), ("ken", 0)]
