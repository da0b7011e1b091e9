"""What ``nbgrader export`` writes: empty cells and a status where nothing was judged."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from by_hand import grade, opened
from small_course import (
    ASSIGNMENT,
    EXERCISES,
    NOTEBOOK,
    SmallCourse,
    answer_to,
    cell_id,
    submitted_notebook,
    with_essay,
)

from autograder.exercises import Runner
from autograder.grading.gradebook_csv import COLUMNS, GradesCsv

FIRST, SECOND = EXERCISES


def exported(course: SmallCourse, file: Path, **options: Any) -> dict[str, dict[str, str]]:
    with opened(course) as book:
        GradesCsv(to=str(file), **options).export(book)
    with file.open(newline="", encoding="utf-8") as lines:
        return {row["student_id"]: row for row in csv.DictReader(lines)}


def test_scores_and_statuses(course: SmallCourse, runner: Runner, tmp_path: Path) -> None:
    course.hand_in("ada")
    course.hand_in("dennis", b"{")
    course.hand_in("ken", submitted_notebook({FIRST: answer_to(FIRST), SECOND: "a: ["}))
    grade(course, runner)
    with opened(course) as book:
        book.update_or_create_student("nobody", last_name="Smith, Jr.", first_name=' "=HYPERLINK("http://x")')
    found = exported(course, tmp_path / "grades.csv")
    assert tuple(found["ada"]) == COLUMNS
    shown = {
        student: (row["raw_score"], row["score"], row["max_score"], row["status"]) for student, row in found.items()
    }
    assert shown == {
        "ada": ("6.0", "6.0", "6.0", "graded"),
        "dennis": ("", "", "6.0", "2 unreadable"),
        "ken": ("3.0", "3.0", "6.0", "1 unreadable"),
        "nobody": ("", "", "6.0", "not submitted"),
    }
    assert (found["nobody"]["last_name"], found["nobody"]["first_name"]) == ("Smith, Jr.", '\' "=HYPERLINK("http://x")')


def test_what_a_person_graded_counts(course: SmallCourse, runner: Runner, tmp_path: Path) -> None:
    course.hand_in("dennis", b"{")
    grade(course, runner)
    with opened(course) as book:
        for exercise, score in ((FIRST, 1), (SECOND, 2.5)):
            book.find_grade(cell_id("check", exercise), NOTEBOOK, ASSIGNMENT, "dennis").manual_score = score
        book.db.commit()
    row = exported(course, tmp_path / "grades.csv")["dennis"]
    assert (row["score"], row["status"]) == ("3.5", "graded")


def test_a_free_text_waits_for_a_person(course: SmallCourse, runner: Runner, tmp_path: Path) -> None:
    source = course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    source.write_text(json.dumps(with_essay(json.loads(source.read_text()), "Why?")))
    course.hand_in("ada", with_essay(submitted_notebook(), "Because."))
    grade(course, runner)
    row = exported(course, tmp_path / "grades.csv")["ada"]
    assert (row["score"], row["max_score"], row["status"]) == ("6.0", "11.0", "1 to be graded by hand")


def test_some_students_and_assignments(course: SmallCourse, runner: Runner, tmp_path: Path) -> None:
    course.hand_in("ada")
    course.hand_in("ken")
    grade(course, runner)
    assert list(exported(course, tmp_path / "a.csv", student=["ken"])) == ["ken"]
    assert exported(course, tmp_path / "b.csv", assignment=["02-other"]) == {}


@pytest.mark.usefixtures("settled")
def test_it_is_what_the_course_exports_with(course: SmallCourse, runner: Runner, tmp_path: Path) -> None:
    from nbgrader.apps.exportapp import ExportApp

    from autograder.grading.configuration import configuration

    course.hand_in("dennis", b"{")
    grade(course, runner)
    settings = configuration(course.root)
    app = ExportApp(config=settings.config)
    app.initialize(["--to", str(tmp_path / "grades.csv"), f"--db={settings.db_url}"], root=str(course.root))
    app.start()
    assert "2 unreadable" in (tmp_path / "grades.csv").read_text()
