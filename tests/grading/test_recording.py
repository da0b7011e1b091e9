"""Graded submissions are written as they come, so many at a time; what cannot be written costs no more than itself."""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from small_course import ASSIGNMENT, NOTEBOOK, SmallCourse

from autograder.grading import batch, gradebook, recording
from autograder.grading.configuration import configuration
from autograder.grading.disk import in_words, naming
from autograder.grading.engine import Engine
from autograder.grading.graded import GradedSubmission
from autograder.grading.recording import Recording

pytest.importorskip("nbgrader.api")

STUDENTS = ("ada", "grace", "ken", "linus", "zoe")


@pytest.fixture
def graded(course: SmallCourse, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[GradedSubmission]:
    """A class of five, who are written two at a time."""
    monkeypatch.setattr(recording, "AT_ONCE", 2)
    for student in STUDENTS:
        course.hand_in(student)
    return [engine.grade(course.assignment, course.submission(student)) for student in STUDENTS]


def in_gradebook(course: SmallCourse) -> list[str]:
    """The students who have a submission with scores."""
    query = """
        SELECT DISTINCT student_id FROM submitted_assignment AS submission
        JOIN submitted_notebook AS notebook ON notebook.assignment_id = submission.id
        JOIN grade ON grade.notebook_id = notebook.id WHERE grade.auto_score = 3 ORDER BY 1
    """
    with closing(sqlite3.connect(course.root / "gradebook.db")) as database:
        return [student for (student,) in database.execute(query)]


def pages(course: SmallCourse) -> list[str]:
    return sorted(path.parts[-3] for path in (course.root / "autograded").rglob("*.ipynb") if path.is_file())


def test_a_page_is_what_nbformat_would_write(course: SmallCourse, graded: list[GradedSubmission]) -> None:
    nbformat = pytest.importorskip("nbformat")
    recording.record(configuration(course.root), [course.assignment], graded)
    page = course.root / "autograded" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    text = page.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    nbformat.validate(nbformat.read(page, as_version=4))


def test_they_are_written_before_the_last_one_comes(course: SmallCourse, graded: list[GradedSubmission]) -> None:
    writing = Recording(configuration(course.root), [course.assignment])
    for one in graded[:3]:
        writing.take(one)
    assert in_gradebook(course) == pages(course) == ["ada", "grace"]
    with closing(sqlite3.connect(course.root / "gradebook.db", timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody is kept from writing meanwhile
    for one in graded[3:]:
        writing.take(one)
    assert writing.finish() == []
    assert in_gradebook(course) == pages(course) == sorted(STUDENTS)
    assert sorted(path.name for path in (course.root / "autograded").iterdir()) == sorted(STUDENTS)


def test_what_the_gradebook_had_before_it_broke_stays(
    course: SmallCourse, graded: list[GradedSubmission], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = gradebook._record_submission

    def full(rows: Any, cells: Any, one: GradedSubmission) -> Any:
        if one.submission.student == "linus":
            raise OSError(28, "No space left on device")
        return record(rows, cells, one)

    monkeypatch.setattr(gradebook, "_record_submission", full)
    writing = Recording(configuration(course.root), [course.assignment])
    for one in graded:
        writing.take(one)
    (trouble,) = writing.finish()
    assert not writing.is_recorded
    assert "make room on its disk, and grade again; it has 2 submissions of this run" in str(trouble)
    assert in_gradebook(course) == pages(course) == ["ada", "grace"]
    monkeypatch.undo()
    recording.record(configuration(course.root), [course.assignment], graded)
    assert in_gradebook(course) == pages(course) == sorted(STUDENTS)


def test_a_page_that_cannot_be_written_costs_no_other(course: SmallCourse, graded: list[GradedSubmission]) -> None:
    (course.root / "autograded" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").mkdir(parents=True)
    with pytest.raises(OSError, match=r"ada/01-maps/01-maps\.ipynb"):
        recording.record(configuration(course.root), [course.assignment], graded)
    assert in_gradebook(course) == sorted(STUDENTS)
    assert pages(course) == ["grace", "ken", "linus", "zoe"]


class Watched:
    """Does the work here, and knows how many of the results are still in memory."""

    is_here = True

    def __init__(self) -> None:
        self.made: list[weakref.ref[GradedSubmission]] = []
        self.most = 0

    def each(
        self, work: Callable[[Any], Any], items: Sequence[Any], meanwhile: object = None, **options: object
    ) -> Iterator[tuple[int, Any]]:
        for index, item in enumerate(items):
            done = work(item)
            self.made.append(weakref.ref(done))
            self.most = max(self.most, sum(one() is not None for one in self.made))
            yield index, done
            del done


def test_a_graded_class_is_not_held_in_memory(course: SmallCourse) -> None:
    for number in range(12):
        course.hand_in(f"student-{number:02}")
    watched = Watched()
    found = batch.grade(course.root, [course.assignment], executor=watched)
    assert watched.most <= 3
    assert [sum(answer.score or 0 for answer in one.graded) for one in found.submissions] == [6] * 12
    assert all(notebook.cells == [] for one in found.submissions for notebook in one.notebooks)


def test_an_error_of_the_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught, naming(tmp_path / "page"):
        raise OSError(28, "No space left on device")
    assert in_words(caught.value) == f"{tmp_path / 'page'}: No space left on device; make room there"
    with pytest.raises(FileNotFoundError) as missing, naming(tmp_path):
        (tmp_path / "other").read_text()
    assert in_words(missing.value) == f"{tmp_path / 'other'}: No such file or directory"
    assert in_words(ValueError("as it is")) == "as it is"
