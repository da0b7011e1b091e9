"""The hostile class, graded for all tests that look at it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import hostile_course
import once
import pytest
from hostile_class import Graded, Twice, grade_twice, outside, submissions


@pytest.fixture(scope="session")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Twice:
    """The hostile class, graded twice by the command, with two workers and a folder for temporary files of its own."""

    def make(root: Path) -> Twice:
        course = hostile_course.build(root / "course")
        outside(root)
        submissions(course)
        return grade_twice(root, course)

    return once.for_all_workers(tmp_path_factory, "hostile", make)


@pytest.fixture(scope="session")
def graded(twice: Twice) -> Graded:
    """The first of the two times."""
    return twice.first


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Back in the folder that we came from: nbgrader goes to that of the course.  And its log is not wanted."""
    monkeypatch.chdir(Path.cwd())
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
