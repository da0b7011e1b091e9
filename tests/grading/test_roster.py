"""A roster comes from nbgrader, and an instructor hears of who is not on it and of who handed in nothing."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from by_hand import forget, grade, opened
from small_course import ASSIGNMENT, SmallCourse

from autograder.exercises import Runner
from autograder.grading.configuration import configuration
from autograder.grading.due_dates import FILE
from autograder.grading.roster import remarks, roster

CSV = "id,first_name,last_name,email\nada,Ada,Lovelace,ada@example.org\nken,Ken,,\nzoe,,,zoe@example.org\n"


def import_roster(course: SmallCourse, path: Path, text: str = CSV) -> None:
    """``nbgrader db student import``."""
    from nbgrader.apps.dbapp import DbStudentImportApp

    path.write_text(text)
    settings = configuration(course.root)
    app = DbStudentImportApp(config=settings.config)
    app.initialize([str(path), f"--db={settings.db_url}"], root=str(course.root))
    app.start()


@pytest.mark.usefixtures("settled")
def test_strangers_and_those_who_handed_in_nothing(course: SmallCourse, runner: Runner, tmp_path: Path) -> None:
    forget(course)
    import_roster(course, tmp_path / "roster.csv")
    assert roster(configuration(course.root)) == {"ada", "ken", "zoe"}
    for student in ("ada", "Ken", "eve"):
        course.hand_in(student)
    (course.root / "submitted" / "zoe").mkdir()
    for _ in range(2):  # grading does not put anybody on the roster
        batch = grade(course, runner)
        assert remarks(configuration(course.root), batch) == [
            "Ken handed in and is not on the roster; is it ken?",
            "eve handed in and is not on the roster",
            f"{ASSIGNMENT}: on the roster, and handed in nothing: ken, zoe",
        ]
    with opened(course) as book:
        assert book.find_student("ada").last_name == "Lovelace"
        assert book.find_submission(ASSIGNMENT, "eve").score == 6


@pytest.mark.usefixtures("settled")
def test_without_a_roster_nobody_is_a_stranger(course: SmallCourse, runner: Runner) -> None:
    course.hand_in("eve")
    batch = grade(course, runner)
    assert remarks(configuration(course.root), batch) == []
    (course.root / FILE).write_text("student,assignment,due\neva,01-maps,2026-03-01 12:00\n")
    assert remarks(configuration(course.root), batch) == ["extensions.csv: nobody is called eva"]


@pytest.mark.usefixtures("settled")
def test_folders_that_look_alike(course: SmallCourse, runner: Runner) -> None:
    for form in ("NFC", "NFD"):
        course.hand_in(unicodedata.normalize(form, "j\u00f6rg"))
    course.hand_in("Ada")
    course.hand_in("ada")
    said = remarks(configuration(course.root), grade(course, runner))
    assert said == [
        "submitted/ has 2 folders of almost the same name: 'Ada', 'ada'",
        r"submitted/ has 2 folders of almost the same name: 'jo\u0308rg', 'j\xf6rg'",
    ]


@pytest.mark.usefixtures("settled")
def test_who_is_late_and_what_it_costs(course: SmallCourse, runner: Runner) -> None:
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write("c.AssignLatePenalties.plugin_class = 'autograder.grading.late_penalty.PercentPerDay'\n")
    for student, time in (("ada", "2026-03-01 12:00:00 UTC"), ("ken", "2026-03-02 14:00:00 UTC")):
        course.hand_in(student).with_name("timestamp.txt").write_text(time)
    forget(course)
    with opened(course) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate="2026-03-01 12:00 UTC")
    assert remarks(configuration(course.root), grade(course, runner)) == [
        f"ken, {ASSIGNMENT}: 1 day, 2:00:00 late, which costs 1.2 points"
    ]
