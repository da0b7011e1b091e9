"""The hostile class, graded once for all tests that look at it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import hostile_course
import pytest
from hostile_class import Graded, grade, outside, submissions


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The hostile class, graded by the command, with two workers and a folder for temporary files of its own."""
    root = tmp_path_factory.mktemp("hostile")
    course = hostile_course.build(root / "course")
    outside(root)
    submissions(course)
    return grade(root, course)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Back in the folder that we came from: nbgrader goes to that of the course.  And its log is not wanted."""
    monkeypatch.chdir(Path.cwd())
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
