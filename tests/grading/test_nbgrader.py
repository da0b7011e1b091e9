"""nbgrader by hand gives what ``autograder grade`` gives, goes on from it, and survives what students do."""

from __future__ import annotations

import copy
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_course import (
    ASSIGNMENT,
    EXERCISES,
    NOTEBOOK,
    Json,
    SmallCourse,
    answer_to,
    cell_id,
    cell_of,
    submitted_notebook,
)

from autograder.exercises import Runner
from autograder.grading import autograded, gradebook
from autograder.grading.batch import Batch
from autograder.grading.configuration import configuration
from autograder.grading.engine import Engine
from autograder.grading.submissions import look_through

converters = pytest.importorskip("nbgrader.converters")
preprocessors = pytest.importorskip("autograder.grading.preprocessors")

FIRST, SECOND = EXERCISES

Rows = dict[tuple[str, str], tuple[float | None, bool]]


def tampered(*changes: tuple[str, Json]) -> Json:
    """A notebook with wrong answers and changed check cells."""
    notebook = submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "red"), SECOND: "a: ["})
    for identity, values in changes:
        cell = cell_of(notebook, identity)
        marks = values.pop("marks", {})
        cell.update(values)
        cell["metadata"]["nbgrader"].update(marks)
    return notebook


def the_class(course: SmallCourse) -> None:
    """A class with everything that the reference of nbgrader's weak points names, and honest students between."""
    check = cell_id("check", FIRST)
    twice = tampered()
    twice["cells"].append(copy.deepcopy(cell_of(twice, check)))
    tagged = tampered()
    for cell in tagged["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
    bare = tampered()
    for cell in bare["cells"]:
        cell["metadata"] = {}
    course.hand_in("ada")
    course.hand_in("b-partly", tampered())
    course.hand_in("c-copied", twice)
    course.hand_in("d-tagged", tagged)
    course.hand_in("e-marks", tampered((check, {"marks": {"grade": False, "solution": True, "points": 100}})))
    course.hand_in("f-source", tampered((check, {"source": "4"})))
    course.hand_in("g-markdown", tampered((check, {"cell_type": "markdown"})))
    course.hand_in("h-bare", bare)
    course.hand_in("i-schema", tampered((check, {"marks": {"schema_version": 1}})))
    course.hand_in("j-exit", submitted_notebook({FIRST: "import os; os._exit(0)", SECOND: "while True: pass"}))
    course.hand_in("k-broken", b'{"cells": [')
    course.hand_in("l-kernel", {**tampered(), "metadata": {"kernelspec": {"name": "none"}}})
    course.hand_in("m-bold", {**submitted_notebook({}), "metadata": {"autograder": {"unreadable": "", "notes": [[]]}}})
    course.hand_in("n-empty", b"")
    course.hand_in("zoe")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Back in the folder that we came from: nbgrader goes to that of the course.  And its log is not wanted."""
    monkeypatch.chdir(Path.cwd())
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def run(course: SmallCourse, converter: str, **options: Any) -> None:
    """One of nbgrader's commands, in this process."""
    from nbgrader.coursedir import CourseDirectory

    config = configuration(course.root).config
    directory = CourseDirectory(config=config, assignment_id=ASSIGNMENT)
    getattr(converters, converter)(coursedir=directory, config=config, **options).start()


def grade(course: SmallCourse, runner: Runner) -> None:
    """What ``autograder grade`` does, in this process."""
    engine, handed = Engine(runner, course.root / "exercises"), look_through(course.root)
    graded = tuple(engine.grade(course.assignment, one) for one in handed.submissions(course.assignment))
    batch = Batch((course.assignment,), handed.students, graded, handed.strays)
    gradebook.record(configuration(course.root), batch)
    autograded.write(course.root, batch)


def rows(course: SmallCourse) -> tuple[Rows, dict[tuple[str, str], str]]:
    """Scores and comments in the gradebook, by student and cell."""
    from nbgrader.api import Gradebook

    settings = configuration(course.root)
    with Gradebook(settings.db_url, settings.course_id) as book:
        notebooks = [
            (submission.student.id, notebook)
            for submission in book.assignment_submissions(ASSIGNMENT)
            for notebook in submission.notebooks
        ]
        scores = {
            (student, grade.name): (grade.auto_score, grade.needs_manual_grade)
            for student, notebook in notebooks
            for grade in notebook.grades
        }
        comments = {
            (student, comment.name): comment.auto_comment
            for student, notebook in notebooks
            for comment in notebook.comments
        }
        return scores, comments


def forget(course: SmallCourse) -> None:
    """An empty gradebook.  (nbgrader starts a program for that, which takes its time.)"""
    for path in course.root.glob("gradebook.db*"):
        path.unlink()
    with gradebook.opened(configuration(course.root)):
        pass


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch, runner: Runner) -> None:
    """An engine for nbgrader too that works on the cluster which is warm already."""
    monkeypatch.setattr(preprocessors, "open_engine", lambda course: Engine(runner, course / "exercises"))


@pytest.mark.usefixtures("settled", "warm")
def test_by_hand_as_by_command(course: SmallCourse, runner: Runner) -> None:
    the_class(course)
    grade(course, runner)
    ours = rows(course)
    pages = {path: path.read_text() for path in sorted((course.root / "autograded").rglob("*.ipynb"))}
    shutil.rmtree(course.root / "autograded")
    forget(course)
    run(course, "GenerateAssignment")
    run(course, "Autograde")
    assert rows(course) == ours
    assert sorted((course.root / "autograded").rglob("*.ipynb")) == list(pages)
    scores, _ = ours
    assert {scores[student, cell_id("check", FIRST)] for student in ("ada", "zoe")} == {(3, False)}
    assert scores["b-partly", cell_id("check", FIRST)] == (2, False)
    assert scores["b-partly", cell_id("check", SECOND)] == (None, True)
    for (student, _), (score, _) in scores.items():
        assert student in ("ada", "zoe") or (score or 0) <= 2


@pytest.mark.usefixtures("settled", "warm")
def test_the_release_agrees_with_what_grading_wrote(course: SmallCourse, runner: Runner) -> None:
    from nbgrader.api import Gradebook

    def cells() -> list[tuple[str, str, str, bool]]:
        settings = configuration(course.root)
        with Gradebook(settings.db_url, settings.course_id) as book:
            known = book.find_notebook(NOTEBOOK, ASSIGNMENT).source_cells
            return [(cell.name, cell.checksum, cell.source, cell.locked) for cell in known]

    course.hand_in("ada")
    grade(course, runner)
    before = cells()
    run(course, "GenerateAssignment")
    assert cells() == before
    run(course, "Autograde", force=True)
    assert rows(course)[0]["ada", cell_id("check", FIRST)] == (3, False)


@pytest.mark.usefixtures("settled")
def test_feedback_shows_the_table_and_nothing_of_a_student_as_markup(course: SmallCourse, runner: Runner) -> None:
    course.hand_in("ada", submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "<script>alert(1)</script>")}))
    course.hand_in("dennis", b"{")
    grade(course, runner)
    run(course, "GenerateFeedback")
    page = (course.root / "feedback" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.html").read_text()
    assert "autograder-verdict" in page
    assert "Colours matter." in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    page = (course.root / "feedback" / "dennis" / ASSIGNMENT / f"{NOTEBOOK}.html").read_text()
    assert "not valid JSON" in page
    assert "ConfigMap" not in page  # the solution


@pytest.mark.usefixtures("settled")
def test_export(course: SmallCourse, runner: Runner, tmp_path: Path) -> None:
    from nbgrader.api import Gradebook
    from nbgrader.plugins import CsvExportPlugin

    course.hand_in("ada")
    grade(course, runner)
    settings = configuration(course.root)
    with Gradebook(settings.db_url, settings.course_id) as book:
        CsvExportPlugin(to=os.fspath(tmp_path / "grades.csv")).export(book)
    assert (tmp_path / "grades.csv").read_text().splitlines()[1] == f"{ASSIGNMENT},,,ada,,,,6.0,0.0,6.0,6.0"


@pytest.mark.usefixtures("settled", "warm")
def test_a_link_in_the_place_of_a_notebook_is_not_followed_by_nbgrader(course: SmallCourse, runner: Runner) -> None:
    course.hand_in("ada")
    path = course.hand_in("ken")
    path.unlink()
    path.symlink_to(course.root / "submitted" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.ipynb")
    forget(course)
    run(course, "GenerateAssignment")
    run(course, "Autograde")
    scores, comments = rows(course)
    assert scores["ken", cell_id("check", FIRST)] == (None, True)
    assert "unreadable" in comments["ken", cell_id("answer", FIRST)]
    assert scores["ada", cell_id("check", FIRST)] == (3, False)


@pytest.mark.usefixtures("settled", "warm")
def test_what_a_students_links_lead_to_does_not_come_back_to_them(course: SmallCourse) -> None:
    path = course.hand_in("ken")
    (path.parent / "notes.txt").write_text("mine")
    (path.parent / "deeper").mkdir()
    for link in (path.with_name("book.db"), path.parent / "deeper" / "book.db"):
        link.symlink_to(course.root / "gradebook.db")
    forget(course)
    run(course, "GenerateAssignment")
    run(course, "Autograde")
    run(course, "GenerateFeedback")
    back = [path for name in ("autograded", "feedback") for path in (course.root / name).rglob("*") if path.is_file()]
    assert {path.name for path in back} == {f"{NOTEBOOK}.ipynb", f"{NOTEBOOK}.html", "notes.txt"}
