"""nbgrader by hand gives what ``autograder grade`` gives, goes on from it, and survives what students do."""

from __future__ import annotations

import copy
import os
import shutil

import pytest
from by_hand import forget, grade, opened, rows, run
from small_course import (
    ASSIGNMENT,
    EXERCISES,
    NOTEBOOK,
    Json,
    SmallCourse,
    answer_to,
    cell_id,
    cell_of,
    submitted_notebook,
)

from autograder.exercises import Runner

FIRST, SECOND = EXERCISES


def tampered(*changes: tuple[str, Json]) -> Json:
    """A notebook with wrong answers and changed check cells."""
    notebook = submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "red"), SECOND: "a: ["})
    for identity, values in changes:
        cell = cell_of(notebook, identity)
        marks = values.pop("marks", {})
        cell.update(values)
        cell["metadata"]["nbgrader"].update(marks)
    return notebook


def the_class(course: SmallCourse) -> None:
    """A class with everything that the reference of nbgrader's weak points names, and honest students between."""
    check = cell_id("check", FIRST)
    twice = tampered()
    twice["cells"].append(copy.deepcopy(cell_of(twice, check)))
    tagged = tampered()
    for cell in tagged["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
    bare = tampered()
    for cell in bare["cells"]:
        cell["metadata"] = {}
    course.hand_in("ada")
    course.hand_in("b-partly", tampered())
    course.hand_in("c-copied", twice)
    course.hand_in("d-tagged", tagged)
    course.hand_in("e-marks", tampered((check, {"marks": {"grade": False, "solution": True, "points": 100}})))
    course.hand_in("f-source", tampered((check, {"source": "4"})))
    course.hand_in("g-markdown", tampered((check, {"cell_type": "markdown"})))
    course.hand_in("h-bare", bare)
    course.hand_in("i-schema", tampered((check, {"marks": {"schema_version": 1}})))
    course.hand_in("j-exit", submitted_notebook({FIRST: "import os; os._exit(0)", SECOND: "while True: pass"}))
    course.hand_in("k-broken", b'{"cells": [')
    course.hand_in("l-kernel", {**tampered(), "metadata": {"kernelspec": {"name": "none"}}})
    course.hand_in("m-bold", {**submitted_notebook({}), "metadata": {"autograder": {"unreadable": "", "notes": [[]]}}})
    course.hand_in("n-empty", b"")
    course.hand_in("zoe")


@pytest.mark.usefixtures("settled", "warm")
def test_by_hand_as_by_command(course: SmallCourse, runner: Runner) -> None:
    the_class(course)
    grade(course, runner)
    ours = rows(course)
    pages = {path: path.read_text() for path in sorted((course.root / "autograded").rglob("*.ipynb"))}
    shutil.rmtree(course.root / "autograded")
    forget(course)
    run(course, "GenerateAssignment")
    run(course, "Autograde")
    assert rows(course) == ours
    assert sorted((course.root / "autograded").rglob("*.ipynb")) == list(pages)
    scores, _ = ours
    assert {scores[student, cell_id("check", FIRST)] for student in ("ada", "zoe")} == {(3, False)}
    assert scores["b-partly", cell_id("check", FIRST)] == (2, False)
    assert scores["b-partly", cell_id("check", SECOND)] == (None, True)
    for (student, _), (score, _) in scores.items():
        assert student in ("ada", "zoe") or (score or 0) <= 2


@pytest.mark.usefixtures("settled", "warm")
def test_the_release_agrees_with_what_grading_wrote(course: SmallCourse, runner: Runner) -> None:
    def cells() -> list[tuple[str, str, str, bool]]:
        with opened(course) as book:
            known = book.find_notebook(NOTEBOOK, ASSIGNMENT).source_cells
            return [(cell.name, cell.checksum, cell.source, cell.locked) for cell in known]

    course.hand_in("ada")
    grade(course, runner)
    before = cells()
    run(course, "GenerateAssignment")
    assert cells() == before
    run(course, "Autograde", force=True)
    assert rows(course)[0]["ada", cell_id("check", FIRST)] == (3, False)


@pytest.mark.usefixtures("settled")
def test_feedback_shows_the_table_and_nothing_of_a_student_as_markup(course: SmallCourse, runner: Runner) -> None:
    course.hand_in("ada", submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "<script>alert(1)</script>")}))
    course.hand_in("dennis", b"{")
    grade(course, runner)
    run(course, "GenerateFeedback")
    page = (course.root / "feedback" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.html").read_text()
    assert "autograder-verdict" in page
    assert "Colours matter." in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    page = (course.root / "feedback" / "dennis" / ASSIGNMENT / f"{NOTEBOOK}.html").read_text()
    assert "not valid JSON" in page
    assert "ConfigMap" not in page  # the solution


@pytest.mark.usefixtures("settled", "warm")
def test_a_link_in_the_place_of_a_notebook_is_not_followed_by_nbgrader(course: SmallCourse, runner: Runner) -> None:
    course.hand_in("ada")
    path = course.hand_in("ken")
    path.unlink()
    path.symlink_to(course.root / "submitted" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.ipynb")
    forget(course)
    run(course, "GenerateAssignment")
    run(course, "Autograde")
    scores, comments = rows(course)
    assert scores["ken", cell_id("check", FIRST)] == (None, True)
    assert "unreadable" in comments["ken", cell_id("answer", FIRST)]
    assert scores["ada", cell_id("check", FIRST)] == (3, False)


@pytest.mark.usefixtures("settled", "warm")
def test_what_a_students_links_lead_to_does_not_come_back_to_them(course: SmallCourse) -> None:
    path = course.hand_in("ken")
    (path.parent / "notes.txt").write_text("mine")
    (path.parent / "deeper").mkdir()
    for link in (path.with_name("book.db"), path.parent / "deeper" / "book.db"):
        link.symlink_to(course.root / "gradebook.db")
    forget(course)
    run(course, "GenerateAssignment")
    run(course, "Autograde")
    run(course, "GenerateFeedback")
    back = [path for name in ("autograded", "feedback") for path in (course.root / name).rglob("*") if path.is_file()]
    assert {path.name for path in back} == {f"{NOTEBOOK}.ipynb", f"{NOTEBOOK}.html", "notes.txt"}


@pytest.mark.usefixtures("settled", "warm")
@pytest.mark.parametrize("place", ["student", "student/assignment"])
def test_a_link_to_the_work_of_a_neighbour_earns_nothing(course: SmallCourse, place: str) -> None:
    course.hand_in("ada")
    submitted = course.root / "submitted"
    if place == "student":
        (submitted / "ken").symlink_to(submitted / "ada")
    else:
        (submitted / "ken").mkdir()
        (submitted / "ken" / ASSIGNMENT).symlink_to(submitted / "ada" / ASSIGNMENT)
    forget(course)
    run(course, "GenerateAssignment")
    run(course, "Autograde")
    scores, _ = rows(course)
    assert scores["ken", cell_id("check", FIRST)] == (None, True)
    assert scores["ada", cell_id("check", FIRST)] == (3, False)


@pytest.mark.usefixtures("settled", "warm")
@pytest.mark.timeout(60)
def test_pipes_and_devices_neither_stop_nor_fill_anything(course: SmallCourse) -> None:
    path = course.hand_in("ken")
    os.mkfifo(path.with_name("data.txt"))
    os.mkfifo(path.with_name("timestamp.txt"))
    path.with_name("zeros.bin").symlink_to("/dev/zero")
    course.hand_in("zoe").with_name("timestamp.txt").symlink_to("/dev/zero")
    forget(course)
    run(course, "GenerateAssignment")
    for _ in range(2):
        run(course, "Autograde", force=True)
    assert {score for score, _ in rows(course)[0].values()} == {3}
    assert {path.name for path in (course.root / "autograded").rglob("*") if path.is_file()} == {f"{NOTEBOOK}.ipynb"}


@pytest.mark.usefixtures("settled", "warm")
@pytest.mark.parametrize("text", [b"", b"not long ago", b"\xff\xfe", b"9" * 5000, b"2026-03-01 10:00:00 /etc/passwd"])
def test_a_time_that_nobody_understands_is_none(course: SmallCourse, text: bytes) -> None:
    course.hand_in("ken").with_name("timestamp.txt").write_bytes(text)
    forget(course)
    run(course, "GenerateAssignment")
    run(course, "Autograde")
    with opened(course) as book:
        assert book.find_submission(ASSIGNMENT, "ken").timestamp is None
    assert {score for score, _ in rows(course)[0].values()} == {3}
