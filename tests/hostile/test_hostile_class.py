"""A class of hostile students: no point gained, no neighbour harmed, nothing lost, nothing touched that is not theirs.

The whole class is graded in one run, and in a second that finds everything judged; a test looks at what became of one
student, or at what lies about afterwards.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import cases_files
import cases_notebooks
import hostile_course
import pytest
from hostile_class import (
    CANARY,
    CASES,
    HONEST,
    WRITTEN,
    Graded,
    Twice,
    grade,
    hand_in_honestly,
    rows,
    text_of_everything,
)
from hostile_course import ANSWERS
from small_course import ASSIGNMENT, NOTEBOOK
from snapshots import snapshot

from autograder.checks import Status
from autograder.grading.graded import GradedSubmission

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def of(graded: Graded, student: str) -> GradedSubmission:
    """What became of one student."""
    (found,) = [one for one in graded.batch.submissions if one.submission.student == student]
    return found


def test_there_are_many_cases() -> None:
    assert len(CASES) > 60


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of(graded: Graded, name: str) -> None:
    case, found = CASES[name], of(graded, name)
    answers = {one.task.exercise: one for one in found.graded}
    assert set(answers) == set(ANSWERS)
    texts = [note.text for notebook in found.notebooks for note in notebook.notes]
    for exercise, one in answers.items():
        if exercise not in case.targets:
            assert (one.verdict.status, one.score) == (Status.GRADED, 3)
            continue
        messages = [result.message for result in one.verdict.criteria if result.message]
        timed_out = case.is_long and one.verdict.status is Status.TIMED_OUT
        assert one.verdict.status is case.status or timed_out, messages
        assert not one.score
        assert messages
        assert one.score is None or one.verdict.status is Status.GRADED
        texts += [*messages, case.said] if timed_out else messages
    assert any(case.said in text for text in texts), texts


#: What only looks at the grader, or is a slip that somebody who means well may make.
NO_TAMPERING = {
    *(name for name, (_, noted) in cases_notebooks.TAMPERING.items() if not noted),
    "lie-answer-as-raw",
    "lie-other-cell",
}


@pytest.mark.parametrize("name", cases_notebooks.TAMPERING)
def test_who_tampered_with_points_is_named(graded: Graded, name: str) -> None:
    found = of(graded, name)
    assert (found.status is Status.TAMPERED) == (name not in NO_TAMPERING)
    assert all(one.score in (0, None) for one in found.graded)


@pytest.mark.parametrize("name", [*cases_notebooks.HARMLESS, *cases_files.STUDENTS])
def test_what_is_odd_and_right_costs_nothing(graded: Graded, name: str) -> None:
    assert [one.score for one in of(graded, name).graded] == [3, 3, 3, 3]


def test_names_that_are_no_students(graded: Graded) -> None:
    students = {one.submission.student for one in graded.batch.submissions}
    assert not students & set(cases_files.STRAYS)
    for name in cases_files.STRAYS:
        assert any(ascii(name) in line for line in graded.batch.strays)
    assert len(graded.batch.strays) == len(cases_files.STRAYS)


def test_honest_students_get_what_they_get_among_themselves(
    graded: Graded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = hostile_course.build(tmp_path / "course")
    hand_in_honestly(course)
    alone = grade(tmp_path, course)
    for student in HONEST:
        page = Path("autograded", student, ASSIGNMENT, f"{NOTEBOOK}.ipynb")
        assert (course.root / page).read_bytes() == (graded.course.root / page).read_bytes()
        here, there = (rows(one.root, student) for one in (course, graded.course))
        assert here == there
        assert len(here) == 2 * len(ANSWERS)
        ours, theirs = of(alone, student), of(graded, student)
        assert [one.verdict for one in ours.graded] == [one.verdict for one in theirs.graded]
    assert sum(score or 0 for _, _, score, _ in rows(course.root, "ada")) == 12
    assert sum(score or 0 for _, _, score, _ in rows(course.root, "mary")) == 9


def test_nothing_is_lost(graded: Graded) -> None:
    handed = [one.submission.student for one in graded.batch.submissions if one.handed_in]
    assert len(handed) == len(HONEST) + len(CASES) + len(cases_notebooks.HARMLESS) + len(cases_files.STUDENTS)
    for student in handed:
        page = graded.course.root / "autograded" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
        assert len([c for c in json.loads(page.read_text())["cells"] if "nbgrader" in c["metadata"]]) == 8
        assert len(rows(graded.course.root, student)) == 8
    with closing(sqlite3.connect(graded.course.root / "gradebook.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_nothing_is_written_that_is_not_the_graders(graded: Graded) -> None:
    after = snapshot(graded.root, WRITTEN)
    assert {path: kind for path, kind in after.items() if graded.before.get(path) != kind} == {}
    assert graded.before.keys() == after.keys()
    assert not [path for path in graded.root.rglob("*") if "pwned" in path.name]
    assert not Path("pwned").exists()
    assert not Path("/tmp/pwned").exists()


def test_no_temporary_file_stays(graded: Graded) -> None:
    left = [path for path in (graded.root / "tmp").rglob("*") if path.is_file()]
    assert left == []


def test_nothing_is_read_that_is_not_theirs(graded: Graded) -> None:
    everything = text_of_everything(graded)
    assert CANARY not in everything
    assert "root:x:0:0" not in everything
    assert "SECRET_OF_THE_GRADER" not in everything


def test_what_is_printed_moves_no_cursor(graded: Graded) -> None:
    assert all(char.isprintable() or char == "\n" for char in graded.printed)
    assert "Traceback" not in graded.printed
    assert graded.code == 1


def test_a_second_run_says_the_same(twice: Twice) -> None:
    course = twice.again.course.root
    assert {student: rows(course, student) for student in twice.rows} == twice.rows
    first, again = (one.batch.submissions for one in (twice.first, twice.again))
    assert [one.submission for one in again] == [one.submission for one in first]
