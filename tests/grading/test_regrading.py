"""After a check was mended: whose points change, before anything is written, and what is written then."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from small_course import ASSIGNMENT, EXERCISES, NOTEBOOK, SmallCourse, answer_to, cell_id, submitted_notebook

from autograder.cli import main
from autograder.grading.ledger import Ledger, Row
from autograder.grading.regrading import first_time

MENDED, OTHER = EXERCISES


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of three that was graded by a check which takes red for wrong; it is copied for each test."""
    from small_course import build

    course = build(tmp_path_factory.mktemp("class") / "course")
    red = answer_to(MENDED).replace("blue", "red")
    course.hand_in("ada")
    course.hand_in("grace", submitted_notebook({MENDED: red, OTHER: answer_to(OTHER)}))
    course.hand_in("ken", submitted_notebook({MENDED: "", OTHER: answer_to(OTHER)}))
    assert main(["grade", "--course", str(course.root), "--workers", "1"]) == 0
    return course.root


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> SmallCourse:
    import shutil

    root = tmp_path / "course"
    shutil.copytree(graded, root)
    config = root / "nbgrader_config.py"
    assert config.is_file()
    return SmallCourse(root)


def mend(course: SmallCourse, old: str = '.equals("blue")', new: str = '.is_one_of(["blue", "red"])') -> None:
    checks = course.root / "exercises" / MENDED / "checks.py"
    text = checks.read_text()
    assert old in text
    checks.write_text(text.replace(old, new))


def run(course: SmallCourse, *arguments: str, exercise: str = MENDED) -> int:
    return main(["regrade", exercise, "--course", str(course.root), "--workers", "1", *arguments])


def points(course: SmallCourse, student: str) -> dict[str, float | None]:
    """What the gradebook has, by check cell."""
    query = """
        SELECT base_cell.name, grade.auto_score FROM grade
        JOIN base_cell ON base_cell.id = grade.cell_id
        JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
        WHERE submitted_assignment.student_id = ?"""
    with closing(sqlite3.connect(course.root / "gradebook.db")) as database:
        return dict(database.execute(query, (student,)).fetchall())


def history(course: SmallCourse, student: str) -> list[Row]:
    with Ledger.open(course.root) as ledger:
        return ledger.history(student, MENDED)


def told(course: SmallCourse, student: str) -> list[float]:
    """The points that the ledger has for the mended exercise, oldest first."""
    return [row.entry.verdict.earned for row in history(course, student)]


def test_nothing_changes_while_nothing_was_mended(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(course) == 0
    assert "3 answers judged again: the points of 0 change" in capsys.readouterr().out


def test_whose_points_change_is_shown_and_nothing_is_written(
    course: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    mend(course)
    before = {path: path.read_bytes() for path in course.root.rglob("*.ipynb")}
    assert run(course) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["grace", "2/3", "3/3"]
    assert "colour: 0 -> 1 of 1" in lines[1]
    assert not any(line.startswith(("ada", "ken")) for line in lines)
    assert "(another exercise than then)" in lines[-2]
    assert lines[-1] == "Nothing was written; --write does it."
    assert points(course, "grace")[cell_id("check", MENDED)] == 2
    assert told(course, "grace") == [2]
    assert {path: path.read_bytes() for path in course.root.rglob("*.ipynb")} == before


def test_what_is_written_leaves_the_old_verdict_beside_the_new(
    course: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    mend(course)
    others = points(course, "ada")
    assert run(course, "--write") == 0
    assert "which keeps the verdicts of before" in capsys.readouterr().out
    assert points(course, "grace") == {cell_id("check", MENDED): 3, cell_id("check", OTHER): 3}
    assert points(course, "ada") == others
    assert told(course, "grace") == [2, 3]
    notebook = course.root / "autograded" / "grace" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    assert "3 of 3 points" in notebook.read_text()
    assert run(course) == 0


def test_a_stricter_check_takes_points(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    mend(course, '.equals("3")', '.equals("4")')
    assert run(course, "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert [(one["student"], one["before"]["points"], one["now"]["points"]) for one in said["changed"]] == [
        ("ada", 3, 1), ("grace", 2, 0),
    ]  # fmt: skip
    assert said["written"] is False
    assert said["changed"][0]["criteria"][0].startswith("size: 2 -> 0 of 2")
    assert said["changed"][0]["reasons"] == ["exercise"]


def test_an_answer_that_was_handed_in_since_is_left_alone(
    course: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    mend(course)
    course.hand_in("grace")
    course.hand_in("zoe")
    assert run(course, "--write") == 0
    out = capsys.readouterr().out
    assert "left alone: grace has handed in another answer since; grade the assignment" in out
    assert "left alone: zoe was never graded; grade the assignment" in out
    assert points(course, "grace")[cell_id("check", MENDED)] == 2
    assert points(course, "zoe") == {}


@pytest.mark.parametrize(("since", "judged"), [("2000-01-01", 3), ("2999-01-01T00:00:00Z", 0)])
def test_only_verdicts_from_a_time_on(
    course: SmallCourse, capsys: pytest.CaptureFixture[str], since: str, judged: int
) -> None:
    assert run(course, "--since", since) == 0
    assert f"{judged} answers judged again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("since", "first"),
    [("2026-11-20", "2026-11-20T00:00:00Z"), ("2026-11-20 12:00", "2026-11-20T12:00:00Z"),
     ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z"), ("2026-11-20T12:00:00+01:00", "2026-11-20T11:00:00Z"),
     ("2026-11-20 00:30 Europe/Berlin", "2026-11-19T23:30:00Z")],
)  # fmt: skip
def test_a_time_may_be_written_in_any_zone(since: str, first: str) -> None:
    """The ledger has all times in one, and they are compared as texts."""
    assert first_time(since, ()) == first


def test_only_verdicts_from_a_version_of_the_exercise_on(
    course: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    mend(course)
    digest = history(course, "grace")[0].entry.key.exercise
    assert run(course, "--since", digest[:10]) == 1
    assert "3 answers judged again" in capsys.readouterr().out


@pytest.mark.parametrize("since", ["2026-99-99", "abcdef0123", "ab", "yesterday"])
def test_a_since_that_means_nothing_is_explained(
    course: SmallCourse, capsys: pytest.CaptureFixture[str], since: str
) -> None:
    assert run(course, "--since", since) == 2
    assert since in capsys.readouterr().err


def test_a_course_without_a_ledger_and_an_unknown_exercise(
    course: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(course, exercise="maps/none") == 2
    assert "no notebook" in capsys.readouterr().err
    for path in course.root.glob("verdicts.db*"):
        path.unlink()
    assert run(course) == 2
    assert "nothing was graded yet" in capsys.readouterr().err


def test_a_check_that_is_broken_takes_no_points_in_silence(
    course: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    mend(course, '.equals("blue")', ".no_such_word()")
    assert run(course) == 1
    out = capsys.readouterr().out
    row: Any = next(line for line in out.splitlines() if line.startswith("ada"))
    assert row.split()[:3] == ["ada", "3/3", "-"]
    assert "status: graded -> could not be judged" in row
