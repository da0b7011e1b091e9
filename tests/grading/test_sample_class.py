"""The sample class is what its script makes of the course, and holds a student of every sort."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_course import ROOT

from autograder.checks import Status
from autograder.exercises import Runner
from autograder.grading.assignment import grade_id, load_assignments
from autograder.grading.engine import Engine
from autograder.grading.graded import Graded
from autograder.grading.submissions import Unreadable, look_through, read_notebook
from tools.make_sample_class import LESSONS, make

COURSE = ROOT / "course"


def graded_cells(path: Path) -> dict[str, str] | str:
    """The sources of the cells that nbgrader knows, or why the notebook cannot be read."""
    try:
        cells = read_notebook(path)["cells"]
    except Unreadable as error:
        return str(error).partition("(")[0]
    return {grade_id(cell): cell["source"] for cell in cells if grade_id(cell)}


def test_it_is_made_of_the_course_as_it_is(tmp_path: Path) -> None:
    """If not: ``python -m tools.make_sample_class``."""
    made = {path.relative_to(tmp_path): graded_cells(path) for path in make(COURSE, tmp_path)}
    there = {
        path.relative_to(COURSE / "submitted"): graded_cells(path) for path in COURSE.glob("submitted/*/*/*.ipynb")
    }
    assert made == there


@pytest.fixture(scope="module")
def verdicts(runner: Runner) -> dict[str, list[Graded]]:
    engine = Engine(runner, COURSE / "exercises")
    found: dict[str, list[Graded]] = {}
    for assignment in [assignment for lesson in LESSONS for assignment in load_assignments(COURSE, lesson)]:
        for submission in look_through(COURSE).submissions(assignment):
            found.setdefault(submission.student, []).extend(engine.grade(assignment, submission).graded)
    return found


@pytest.mark.parametrize("student", ["ada", "grace"])
def test_right_is_right_in_whatever_way_it_is_written(verdicts: dict[str, list[Graded]], student: str) -> None:
    assert [one.score for one in verdicts[student]] == [one.task.points for one in verdicts[student]]


def test_partly_right(verdicts: dict[str, list[Graded]]) -> None:
    assert all(0 < (one.score or 0) < one.task.points for one in verdicts["linus"])


def test_wrong(verdicts: dict[str, list[Graded]]) -> None:
    assert {one.score for one in verdicts["ken"]} == {0}
    assert {one.verdict.status for one in verdicts["ken"]} == {Status.GRADED}


def test_broken_and_missing(verdicts: dict[str, list[Graded]]) -> None:
    statuses = [one.verdict.status for one in verdicts["margaret"]]
    assert set(statuses) == {Status.UNREADABLE, Status.NOT_SUBMITTED, Status.GRADED}


def test_unreadable(verdicts: dict[str, list[Graded]]) -> None:
    assert {one.verdict.status for one in verdicts["dennis"]} == {Status.UNREADABLE}
    assert len({one.verdict.criteria[0].message for one in verdicts["dennis"]}) == 3
