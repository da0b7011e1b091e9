"""``nbgrader autograde`` by hand over hostile submissions: nobody stops the batch, and all points are the same."""

from __future__ import annotations

from pathlib import Path

import hostile_course
import once
import pytest
from by_hand import forget, run
from hostile_class import CASES, HONEST, Graded, hand_in_honestly, rows
from small_course import ASSIGNMENT, SmallCourse

from autograder.checks import Verdict
from autograder.clusters import open_cluster
from autograder.exercises import Answer, Exercise, Runner
from autograder.grading import preprocessors
from autograder.grading.engine import Engine

#: Cases of each family that nbgrader meets in a way of its own; all of the reference's are among them.
CHOSEN = [
    name
    for name in CASES
    if name.startswith(("ref-", "file-", "folder-", "lie-id", "lie-our", "lie-schema"))
    or name in ("lie-nan-points", "lie-points-as-text", "lie-nbformat", "lie-bonus", "nb-50-mb", "nb-nested-maps",
                "nb-format-3", "nb-huge-number", "yaml-billion-laughs", "cmd-kubeconfig")
]  # fmt: skip
#: Folders in which nbgrader finds no notebook, so that it says nothing of them.
PASSED_OVER = ("folder-file", "folder-pipe", "folder-empty", "file-other-name", "folder-link-to-root", "folder-link-up",
               "folder-link-to-itself")  # fmt: skip


class Remembering(Runner):
    """Judges the same answer once."""

    def __init__(self) -> None:
        super().__init__(open_cluster("embedded"))
        self._known: dict[tuple[str, str], Verdict] = {}

    def judge(self, exercise: Exercise, answer: Answer) -> Verdict:
        key = (exercise.id, repr(answer.files))
        if key not in self._known:
            self._known[key] = super().judge(exercise, answer)
        return self._known[key]


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> SmallCourse:
    """Some of the hostile class, graded by nbgrader."""
    return once.for_all_workers(tmp_path_factory, "by-hand", _graded)


def _graded(root: Path) -> SmallCourse:
    course = hostile_course.build(root / "course")
    hand_in_honestly(course)
    for name in CHOSEN:
        folder = course.root / "submitted" / name / ASSIGNMENT
        folder.mkdir(parents=True)
        CASES[name].hand_in(folder)
    forget(course)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course.root)
        patch.setattr(preprocessors, "open_engine", lambda root: Engine(Remembering(), root / "exercises"))
        patch.setattr("logging.Logger.handle", lambda *given: None)
        run(course, "GenerateAssignment")
        run(course, "Autograde")  # raises if it stopped, or if one could not be graded
    return course


@pytest.mark.parametrize("student", [*CHOSEN, *HONEST])
def test_the_same_points_as_by_command(by_hand: SmallCourse, graded: Graded, student: str) -> None:
    found = rows(by_hand.root, student)
    if student in PASSED_OVER:
        assert found == []
    else:
        assert found == rows(graded.course.root, student)
    if student in CASES and not CASES[student].target:
        assert not any(score for _, _, score, _ in found)


def test_nobody_is_given_the_work_of_another(by_hand: SmallCourse) -> None:
    page = by_hand.root / "autograded" / "file-link-to-neighbour" / ASSIGNMENT / "01-maps.ipynb"
    assert "colour: blue" not in page.read_text()
    assert not [path for path in (by_hand.root / "autograded").rglob("*") if path.is_symlink()]
