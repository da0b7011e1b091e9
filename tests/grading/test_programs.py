"""A class that hands in programs: graded only if the instructor has allowed it."""

from __future__ import annotations

import json
import shutil

import own_plugin
import pytest
from small_course import SmallCourse, cell_of, code, source_notebook

from autograder.checks import Status
from autograder.exercises import load, sandbox
from autograder.grading.batch import open_engine
from autograder.grading.graded import GradedSubmission

pytestmark = pytest.mark.needs("bwrap or unshare")
ANSWER, CHECK = "answer-scheduler-own-plugin", "check-scheduler-own-plugin"


@pytest.fixture
def course(course: SmallCourse) -> SmallCourse:
    """The small course with the exercise on a plugin in the place of all others; ada has the solution."""
    if trouble := sandbox.why_not():
        pytest.skip(trouble)
    own_plugin.write(course.root / "exercises")
    exercise = load(own_plugin.ID, course.root / "exercises")
    document = source_notebook()
    document["cells"] = [
        code(f"{exercise.header}\n### BEGIN SOLUTION\n{exercise.solution}### END SOLUTION", ANSWER, grade=False,
             solution=True),
        code(f'check("{own_plugin.ID}")', CHECK, grade=True, solution=False, locked=True, points=5),
    ]  # fmt: skip
    (course.root / "source" / "01-maps" / "01-maps.ipynb").write_text(json.dumps(document))
    cell_of(document, ANSWER)["source"] = f"{exercise.header}\n{exercise.solution}"
    shutil.rmtree(course.root / "submitted", ignore_errors=True)
    course.hand_in("ada", document)
    return course


def graded(course: SmallCourse, *, allow_python: bool = False) -> GradedSubmission:
    engine = open_engine(course.root, allow_python=allow_python)
    return engine.grade(course.assignment, course.submission("ada"))


def test_programs_wait_until_they_are_allowed(course: SmallCourse) -> None:
    one = graded(course).graded[0]
    assert (one.verdict.status, one.score) == (Status.COULD_NOT_BE_JUDGED, None)


def test_allowed_for_one_run(course: SmallCourse) -> None:
    assert [one.score for one in graded(course, allow_python=True).graded] == [5]


def test_allowed_by_the_settings_of_the_course(course: SmallCourse) -> None:
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write("\nc.Autograder.allow_python = True\n")
    assert [one.score for one in graded(course).graded] == [5]
