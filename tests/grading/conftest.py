"""A small course in a folder of its own; one cluster is booted, and every judgement works on a fork of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_course import Grading, Json, SmallCourse, build, submitted_notebook

from autograder.clusters import open_cluster
from autograder.exercises import Runner
from autograder.grading import preprocessors
from autograder.grading.engine import Engine


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    return build(tmp_path / "course")


@pytest.fixture(scope="session")
def runner() -> Runner:
    return Runner(open_cluster("embedded"))


@pytest.fixture
def engine(course: SmallCourse, runner: Runner) -> Engine:
    return Engine(runner, course.root / "exercises")


@pytest.fixture
def honest() -> Json:
    """A notebook with two right answers, to be tampered with."""
    return submitted_notebook()


@pytest.fixture
def grade(course: SmallCourse, engine: Engine) -> Grading:
    return Grading(course, engine)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Back in the folder that we came from: nbgrader goes to that of the course.  And its log is not wanted."""
    monkeypatch.chdir(Path.cwd())
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch, runner: Runner) -> None:
    """An engine for nbgrader too that works on the cluster which is warm already."""
    monkeypatch.setattr(preprocessors, "open_engine", lambda course: Engine(runner, course / "exercises"))
