"""An honest class has the same grades and the same feedback, byte for byte, whoever judges it and how often."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from small_course import ROOT

from autograder.cli import main
from autograder.grading.configuration import configuration
from benchmarks.classes import hand_in, make_course

converters = pytest.importorskip("nbgrader.converters")
distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="Dask's processes are forked from a server here"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

#: A lesson with answers in all forms: manifests, commands, predictions.
LESSON = "07-pods"
STUDENTS = 2

SCORES = """
SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.needs_manual_grade
FROM grade JOIN base_cell ON base_cell.id = grade.cell_id
JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
ORDER BY 1, 2
"""
COMMENTS = SCORES.replace("grade.auto_score, grade.needs_manual_grade", "comment.auto_comment, 0")
COMMENTS = COMMENTS.replace("FROM grade", "FROM comment").replace("grade.", "comment.")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = make_course(tmp_path_factory.mktemp("class") / "course", [LESSON])
    hand_in(course, STUDENTS, seed=2)
    for student in ("grace", "linus"):
        shutil.copytree(ROOT / "course" / "submitted" / student / LESSON, course / "submitted" / student / LESSON)
    return course


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Back in the folder that we came from: nbgrader goes to that of the course.  And its log is not wanted."""
    monkeypatch.chdir(Path.cwd())
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def by_nbgrader(course: Path, converter: str) -> None:
    """One of nbgrader's commands, in this process."""
    from nbgrader.coursedir import CourseDirectory

    config = configuration(course).config
    directory = CourseDirectory(config=config, assignment_id=LESSON)
    getattr(converters, converter)(coursedir=directory, config=config).start()


def found(course: Path, results: Path | None = None) -> dict[str, Any]:
    """Everything that a run has left, which is then taken away."""
    by_nbgrader(course, "GenerateFeedback")
    with closing(sqlite3.connect(course / "gradebook.db")) as book:
        left: dict[str, Any] = {"scores": list(book.execute(SCORES)), "comments": list(book.execute(COMMENTS))}
    for folder in ("autograded", "feedback"):
        left |= {
            str(path.relative_to(course)): path.read_bytes() for path in sorted((course / folder).rglob("*.*"))
        }  # fmt: skip
        shutil.rmtree(course / folder)
    for path in course.glob("gradebook.db*"):
        path.unlink()
    if results:
        left["results"] = [
            {**one, "seconds": None} for one in json.loads(results.read_text(encoding="utf-8"))["submissions"]
        ]
    return left


def graded(course: Path, *arguments: str) -> dict[str, Any]:
    results = course / "results.json"
    assert main(["grade", "--course", str(course), "--json", str(results), *arguments]) == 0
    return found(course, results)


@pytest.mark.timeout(900)  # five times a whole class
@pytest.mark.usefixtures("settled")
def test_the_same_grades_and_feedback_everywhere(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = graded(course, "--workers", "1", "--fresh")
    assert len(alone["scores"]) == 6 * (STUDENTS + 2)
    assert any(score for _, _, score, _ in alone["scores"])
    ways = {
        "four workers": ["--workers", "4", "--fresh"],
        "once more": ["--workers", "1", "--fresh"],
        "from the ledger": ["--workers", "4"],
    }
    for way, arguments in ways.items():
        assert graded(course, *arguments) == alone, way
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        assert graded(course, "--fresh", "--executor", f"dask:{cluster.scheduler_address}") == alone
    by_nbgrader(course, "GenerateAssignment")
    by_nbgrader(course, "Autograde")
    by_hand = found(course)
    assert by_hand.keys() == alone.keys() - {"results"}
    for key in by_hand.keys() - {key for key in by_hand if key.startswith("autograded")}:  # whose fields it orders
        assert by_hand[key] == alone[key], key
