"""Where a student's things are, and where they are not."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from autograder.notebook.home import UNATTENDED, find_home


def test_the_cluster_is_the_courses_and_the_answers_are_the_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "course" / "exercises").mkdir(parents=True)
    lesson = tmp_path / "course" / "source" / "07-pods"
    lesson.mkdir(parents=True)
    monkeypatch.chdir(lesson)
    home = find_home({})
    assert (home.state, home.work, home.private) == (tmp_path / "course" / ".cluster", lesson / "work", False)


def test_a_course_that_is_everybodys_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One copy of the exercises for all accounts of a host, which only root may change."""
    (tmp_path / "course" / "exercises").mkdir(parents=True)
    (tmp_path / "student").mkdir()
    monkeypatch.setenv("AUTOGRADER_EXERCISES", str(tmp_path / "course" / "exercises"))
    monkeypatch.setenv("HOME", str(tmp_path / "student"))
    monkeypatch.chdir(tmp_path / "student")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    home = find_home({})
    assert (home.state, home.work) == (tmp_path / "student" / ".autograder", tmp_path / "student" / "work")


def test_another_place_can_be_chosen(tmp_path: Path) -> None:
    home = find_home({"AUTOGRADER_HOME": str(tmp_path), "NBGRADER_EXECUTION": "validate"})
    assert (home.state, home.private) == (tmp_path, False)


def test_what_killed_kernels_left_is_swept_up_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, others = tmp_path / "autograder-run-1", [tmp_path / name for name in ("autograder-local-1", "other")]
    for folder in (left, *others):
        (folder / "work").mkdir(parents=True)
        os.utime(folder, (0, 0))  # by its age nothing is judged: clocks are set
    (tmp_path / "autograder-run-1.lock").touch()
    used = find_home({"NBGRADER_EXECUTION": "validate"}).state
    find_home({"NBGRADER_EXECUTION": "validate"})
    assert not left.exists()
    assert all(folder.exists() for folder in (used, *others))


@pytest.mark.parametrize("name", UNATTENDED)
def test_programs_get_a_home_for_each_kernel(name: str) -> None:
    first, second = find_home({name: "1"}), find_home({name: "1"})
    assert first.private
    assert first.work.parent == first.state
    assert first.state != second.state
