"""What is written to nbgrader's gradebook, what of it stays, and what happens when it cannot be written."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from small_course import ASSIGNMENT, EXERCISES, NOTEBOOK, SmallCourse, answer_to, cell_id, cell_of, submitted_notebook

from autograder.exercises import Runner
from autograder.grading import gradebook
from autograder.grading.configuration import Configuration, configuration
from autograder.grading.engine import Engine
from autograder.grading.submissions import look_through

FIRST, SECOND = EXERCISES

nbgrader_api = pytest.importorskip("nbgrader.api")


class Book:
    """The gradebook of the small course, graded and read in this process."""

    def __init__(self, course: SmallCourse, runner: Runner) -> None:
        self.course, self._runner = course, runner

    @property
    def settings(self) -> Configuration:
        return configuration(self.course.root)

    @property
    def path(self) -> Path:
        return self.course.root / "gradebook.db"

    def open(self) -> nbgrader_api.Gradebook:
        return nbgrader_api.Gradebook(self.settings.db_url, self.settings.course_id)

    def record(self, settings: Configuration | None = None) -> None:
        """Grade everything that was handed in, and write it."""
        engine, handed = Engine(self._runner, self.course.root / "exercises"), look_through(self.course.root)
        graded = tuple(engine.grade(self.course.assignment, one) for one in handed.submissions(self.course.assignment))
        with closing(gradebook.Recorder(settings or self.settings)) as recorder:
            recorder.record([self.course.assignment], graded)

    def scores(self, student: str) -> dict[str, tuple[float | None, bool]]:
        """Score and need of a person, by exercise."""
        with self.open() as book:
            return {
                exercise: (grade.auto_score, grade.needs_manual_grade)
                for exercise in EXERCISES
                for grade in [book.find_grade(cell_id("check", exercise), NOTEBOOK, ASSIGNMENT, student)]
            }

    def comment(self, student: str, exercise: str) -> str:
        with self.open() as book:
            comment = book.find_comment(cell_id("answer", exercise), NOTEBOOK, ASSIGNMENT, student).auto_comment
            assert isinstance(comment, str)
            return comment


@pytest.fixture
def book(course: SmallCourse, runner: Runner) -> Book:
    return Book(course, runner)


def test_scores_and_comments(book: Book) -> None:
    book.course.hand_in("ada")
    book.course.hand_in("ken", submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "<b>red</b>"), SECOND: ""}))
    book.course.hand_in("dennis", b"{")
    book.record()
    assert book.scores("ada") == {FIRST: (3, False), SECOND: (3, False)}
    assert book.scores("ken") == {FIRST: (2, False), SECOND: (None, True)}
    assert book.scores("dennis") == {FIRST: (None, True), SECOND: (None, True)}
    assert book.comment("ada", FIRST) == "3 of 3 points (graded)"
    assert book.comment("ken", FIRST).startswith("2 of 3 points (graded)\n\nNot right: colour.")
    assert "not submitted" in book.comment("ken", SECOND)
    assert "unreadable" in book.comment("dennis", FIRST)
    with book.open() as opened:
        submission = opened.find_submission(ASSIGNMENT, "ada")
        assert (submission.score, submission.max_score) == (6, 6)
        assert opened.find_assignment(ASSIGNMENT).num_submissions == 3


def test_comments_hold_nothing_of_the_student(book: Book) -> None:
    book.course.hand_in("ken", submitted_notebook({FIRST: "<script>: [", SECOND: "kind: <img src=x>\n"}))
    book.record()
    assert not any(char in book.comment("ken", exercise) for exercise in EXERCISES for char in "<>")


def test_what_was_put_right_is_in_the_comment(book: Book) -> None:
    notebook = submitted_notebook()
    cell_of(notebook, cell_id("check", FIRST))["source"] = "3.0"
    book.course.hand_in("ken", notebook)
    book.record()
    assert "Note: the cell check-maps-settings was changed" in book.comment("ken", FIRST)
    assert "Note" not in book.comment("ken", SECOND)


def test_who_handed_in_nothing_has_no_submission(book: Book) -> None:
    book.course.hand_in("ada")
    (book.course.root / "submitted" / "nobody").mkdir()
    book.record()
    with book.open() as opened, pytest.raises(nbgrader_api.MissingEntry):
        opened.find_submission(ASSIGNMENT, "nobody")


def test_a_second_run_brings_scores_up_to_date(book: Book) -> None:
    book.course.hand_in("ada", submitted_notebook({FIRST: answer_to(FIRST), SECOND: ""}))
    book.record()
    book.course.hand_in("ada")
    book.record()
    assert book.scores("ada") == {FIRST: (3, False), SECOND: (3, False)}
    book.course.hand_in("ada", b"")
    book.record()
    assert book.scores("ada") == {FIRST: (None, True), SECOND: (None, True)}


def test_what_a_person_entered_stays(book: Book) -> None:
    book.course.hand_in("ada", submitted_notebook({FIRST: "a: [", SECOND: ""}))
    book.record()
    with book.open() as opened:
        opened.find_grade(cell_id("check", FIRST), NOTEBOOK, ASSIGNMENT, "ada").manual_score = 1.5
        opened.find_comment(cell_id("answer", FIRST), NOTEBOOK, ASSIGNMENT, "ada").manual_comment = "Nearly."
        opened.find_student("ada").last_name = "Lovelace"
        opened.db.commit()
    book.record()
    with book.open() as opened:
        assert opened.find_grade(cell_id("check", FIRST), NOTEBOOK, ASSIGNMENT, "ada").score == 1.5
        assert opened.find_comment(cell_id("answer", FIRST), NOTEBOOK, ASSIGNMENT, "ada").comment == "Nearly."
        assert opened.find_student("ada").last_name == "Lovelace"


def test_many_submissions_take_no_more_statements_than_few(book: Book) -> None:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine as Database

    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *given: object) -> None:
        sent.append(statement)

    def taken(students: list[str]) -> int:
        for student in students:
            book.course.hand_in(student)
        sent.clear()
        book.record()
        return len(sent)

    book.record()  # which makes the tables and describes the assignment
    event.listen(Database, "before_cursor_execute", note)
    try:
        few, many = taken(["ada", "ken"]), taken([f"student-{number}" for number in range(20)])
    finally:
        event.remove(Database, "before_cursor_execute", note)
    assert 0 < many <= few
    assert book.scores("student-19") == {FIRST: (3, False), SECOND: (3, False)}


def test_the_time_of_a_submission(book: Book) -> None:
    path = book.course.hand_in("ada")
    (path.parent / "timestamp.txt").write_text("2026-03-01 10:00:00 UTC\n")
    book.course.hand_in("ken").with_name("timestamp.txt").write_text("not long ago")
    book.record()
    with book.open() as opened:
        assert str(opened.find_submission(ASSIGNMENT, "ada").timestamp) == "2026-03-01 10:00:00"
        assert opened.find_submission(ASSIGNMENT, "ken").timestamp is None


def test_an_exercise_that_comes_later(book: Book) -> None:
    book.course.hand_in("ada")
    source = book.course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    whole = source.read_text()
    notebook = json.loads(whole)
    source.write_text(json.dumps({**notebook, "cells": notebook["cells"][:3]}))
    book.record()
    source.write_text(whole)
    book.record()
    assert book.scores("ada") == {FIRST: (3, False), SECOND: (3, False)}


def test_an_exercise_that_somebody_was_graded_on_is_not_forgotten(book: Book) -> None:
    book.course.hand_in("ada")
    book.record()
    source = book.course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    notebook = json.loads(source.read_text())
    source.write_text(json.dumps({**notebook, "cells": notebook["cells"][:3]}))
    with pytest.raises(gradebook.GradebookError, match="answer-maps-limits, check-maps-limits"):
        book.record()
    assert book.scores("ada") == {FIRST: (3, False), SECOND: (3, False)}


def test_answers_that_a_person_grades(book: Book) -> None:
    essay = {"grade_id": "essay", "grade": True, "solution": True, "locked": False, "points": 5, "schema_version": 3,
             "task": False}  # fmt: skip
    cell = {"cell_type": "markdown", "id": "essay", "metadata": {"nbgrader": essay}, "source": "Why?"}
    source = book.course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    notebook = json.loads(source.read_text())
    source.write_text(json.dumps({**notebook, "cells": [*notebook["cells"], cell]}))
    given = submitted_notebook()
    book.course.hand_in("ada", {**given, "cells": [*given["cells"], {**cell, "source": "Because."}]})
    book.course.hand_in("ken", {**given, "cells": [*given["cells"], {**cell, "source": "YOUR ANSWER HERE"}]})
    book.record()
    with book.open() as opened:
        ada, ken = (opened.find_grade("essay", NOTEBOOK, ASSIGNMENT, student) for student in ("ada", "ken"))
        assert (ada.auto_score, ada.needs_manual_grade) == (None, True)
        assert (ken.auto_score, ken.needs_manual_grade) == (0, False)
        assert opened.find_comment("essay", NOTEBOOK, ASSIGNMENT, "ken").auto_comment == "No response."


def settings_with(book: Book, timeout: float) -> Configuration:
    own = book.settings
    return Configuration(own.course, own.config, own.db_url.replace("timeout=60", f"timeout={timeout}"), own.course_id)


def test_a_gradebook_in_use_is_a_clear_error_and_nothing_is_lost(book: Book) -> None:
    book.course.hand_in("ada")
    book.record()
    book.course.hand_in("ada", submitted_notebook({FIRST: answer_to(FIRST), SECOND: ""}))
    with closing(sqlite3.connect(book.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(gradebook.GradebookError, match=r"gradebook.db could not be written \(database is locked\)"):
            book.record(settings_with(book, 0.1))
    assert book.scores("ada")[SECOND] == (3, False)


def test_a_gradebook_that_is_none(book: Book) -> None:
    book.course.hand_in("ada")
    book.path.write_text("this is not a database, but it is longer than a header\n" * 100)
    with pytest.raises(gradebook.GradebookError, match="not a database"):
        book.record()
    assert book.path.read_text().startswith("this is not a database")


def test_either_everything_is_written_or_nothing(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    for student in ("ada", "grace", "ken"):
        book.course.hand_in(student)
    record_scores = gradebook._record_scores
    count = 0

    def fails_late(*given: object) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(28, "No space left on device")
        record_scores(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(gradebook, "_record_scores", fails_late)
    with pytest.raises(gradebook.GradebookError, match="No space left"):
        book.record()
    with book.open() as opened:
        assert opened.students == []
        assert opened.assignments == []
