"""Submission in, verdicts out: points for what is right, statuses for what cannot be judged, and no code executed."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from small_course import EXERCISES, Grading, Json, SmallCourse, answer_to, cell_id, cell_of, scores, submitted_notebook

from autograder.checks import Status
from autograder.clusters import open_cluster
from autograder.exercises import Runner
from autograder.grading.engine import Engine

FIRST, SECOND = EXERCISES


def test_right_answers_earn_everything(grade: Grading) -> None:
    graded = grade()
    assert scores(graded) == [3, 3]
    assert graded.handed_in
    assert [one.verdict.status for one in graded.graded] == [Status.GRADED, Status.GRADED]


def test_partly_right_answers_earn_parts(grade: Grading) -> None:
    partly = {FIRST: answer_to(FIRST).replace("blue", "red"), SECOND: answer_to(SECOND).replace("'3'", "'4'")}
    assert scores(grade(submitted_notebook(partly))) == [2, 1]


def test_the_starter_is_no_answer_and_no_silent_zero(grade: Grading) -> None:
    graded = grade(submitted_notebook({FIRST: "# apiVersion: ...\n", SECOND: ""}))
    assert scores(graded) == [None, None]
    assert {one.verdict.status for one in graded.graded} == {Status.NOT_SUBMITTED}


def test_what_was_not_handed_in(grade: Grading, course: SmallCourse) -> None:
    (course.root / "submitted" / "ada").mkdir(parents=True)
    graded = grade.of("ada")
    assert not graded.handed_in
    assert {one.verdict.status for one in graded.graded} == {Status.NOT_SUBMITTED}


def test_a_folder_without_the_notebook(grade: Grading, course: SmallCourse) -> None:
    course.hand_in("ada").unlink()
    graded = grade.of("ada")
    assert graded.handed_in
    assert graded.graded[0].verdict.criteria[0].message == "01-maps.ipynb was not handed in"


@pytest.mark.parametrize(
    "opening",
    ["%%manifest settings.yaml\n", "\n\n%%manifest settings.yaml\n", "%%manifest settings.yaml --apply\n",
     "%%manifest  settings.yaml  \r\n", "\ufeff%%manifest settings.yaml\n", "  \n\t\n%%manifest settings.yaml\n"],
)  # fmt: skip
def test_ways_to_write_the_first_line(grade: Grading, honest: Json, opening: str) -> None:
    cell_of(honest, cell_id("answer", FIRST))["source"] = opening + answer_to(FIRST)
    assert scores(grade(honest)) == [3, 3]


def test_a_cell_may_be_indented_as_in_jupyter(grade: Grading, honest: Json) -> None:
    cell = cell_of(honest, cell_id("answer", FIRST))
    cell["source"] = textwrap.indent(cell["source"], "  ")
    assert scores(grade(honest)) == [3, 3]


@pytest.mark.parametrize(
    "source",
    ["print(3)", "%%manifest other.yaml\nx: 1", "%%writefile settings.yaml\nx: 1", "apiVersion: v1",
     "%%manifest ../../etc/passwd\nx: 1", "%%manifest /etc/passwd\nx: 1", "%%manifest settings.yaml; rm x\nx: 1",
     " %%manifest settings.yaml\nx: 1"],
)  # fmt: skip
def test_an_answer_under_another_name_is_unreadable(grade: Grading, honest: Json, source: str) -> None:
    cell_of(honest, cell_id("answer", FIRST))["source"] = source
    graded = grade(honest)
    assert scores(graded) == [None, 3]
    assert graded.graded[0].verdict.status is Status.UNREADABLE
    assert "must begin with the line '%%manifest settings.yaml'" in graded.graded[0].verdict.criteria[0].message


def test_no_code_of_a_student_is_executed(grade: Grading, honest: Json, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    hostile = f"import pathlib; pathlib.Path({str(trap)!r}).touch()"
    honest["cells"].insert(0, {"cell_type": "code", "metadata": {}, "source": hostile})
    cell_of(honest, cell_id("check", FIRST))["source"] = hostile
    cell_of(honest, cell_id("answer", FIRST))["source"] += f"  # {{}}\n!!python/object/apply:os.system ['touch {trap}']"
    graded = grade(honest)
    assert graded.graded[0].score is None
    assert not trap.exists()


def test_verdicts_do_not_depend_on_order_or_neighbours(course: SmallCourse, runner: Runner) -> None:
    handed = {
        "ada": submitted_notebook(),
        "ken": submitted_notebook({FIRST: answer_to(SECOND), SECOND: answer_to(FIRST)}),
        "linus": submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "red")}),
    }
    for student, notebook in handed.items():
        course.hand_in(student, notebook)
    engine = Engine(runner, course.root / "exercises")
    there, back = (
        {student: engine.grade(course.assignment, course.submission(student)).graded for student in order}
        for order in (list(handed), list(reversed(handed)))
    )
    assert there == back


def test_a_defect_of_a_check_is_never_the_students_fault(course: SmallCourse) -> None:
    checks = course.root / "exercises" / FIRST / "checks.py"
    broken = checks.read_text().replace('.equals("blue")', ".key(3, 4, 5)")
    checks.write_text(broken)
    course.hand_in("ada")
    graded = Engine(Runner(open_cluster()), course.root / "exercises").grade(
        course.assignment, course.submission("ada")
    )
    assert graded.graded[0].verdict.status is Status.COULD_NOT_BE_JUDGED
    assert scores(graded) == [None, 3]
