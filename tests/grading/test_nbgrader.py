"""nbgrader by hand gives what ``autograder grade`` gives, goes on from it, and survives what students do."""

from __future__ import annotations

import copy
import json
import os
import shutil
from pathlib import Path

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
    with_essay,
)

from autograder.exercises import Runner
from autograder.grading.configuration import configuration

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


@pytest.mark.usefixtures("settled")
def test_no_page_of_nbgrader_runs_what_a_student_wrote_into_a_text(course: SmallCourse, runner: Runner) -> None:
    from nbconvert.exporters import HTMLExporter

    source = course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    source.write_text(json.dumps(with_essay(json.loads(source.read_text()), "Why?")))
    evil = "Because <script>alert(1)</script> ![so](attachment:gone.png) **x**"
    notebook = with_essay(submitted_notebook(), evil)
    notebook["cells"] += [{"cell_type": kind, "metadata": {}, "source": evil} for kind in ("markdown", "raw")]
    course.hand_in("ken", notebook)
    grade(course, runner)
    run(course, "GenerateFeedback")
    page = (course.root / "feedback" / "ken" / ASSIGNMENT / f"{NOTEBOOK}.html").read_text()
    graded = course.root / "autograded" / "ken" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    exported, _ = HTMLExporter(config=configuration(course.root).config).from_filename(str(graded))  # as formgrader
    for shown in (page, exported):
        assert "<script>alert(1)" not in shown
        assert shown.count("the picture gone.png is missing") == 2
        assert shown.count("<strong>x</strong>") == 2


@pytest.mark.usefixtures("settled")
def test_pictures_in_a_free_text_are_graded_with_it(course: SmallCourse, runner: Runner) -> None:
    source = course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    source.write_text(json.dumps(with_essay(json.loads(source.read_text()), "Why?")))
    notebook = with_essay(submitted_notebook(), "See ![so](attachment:a.png) and ![so](attachment:b.svg)")
    bundles = {"a.png": {"image/png": "QUJD"}, "b.svg": {"image/svg+xml": "<script>"}, "c.png": {"image/png": "'>"}}
    cell_of(notebook, "essay")["attachments"] = bundles
    course.hand_in("ada", notebook)
    grade(course, runner)
    graded = json.loads((course.root / "autograded" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text())
    assert cell_of(graded, "essay")["attachments"] == {"a.png": {"image/png": "QUJD"}}
    run(course, "Autograde", force=True)
    run(course, "GenerateFeedback")
    page = (course.root / "feedback" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.html").read_text()
    assert 'src="data:image/png;base64,QUJD"' in page
    assert "the picture b.svg is missing" in page


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


def add_a_path_that_is_too_long(folder: Path) -> None:
    """A file that can be seen in its folder, and whose whole path the system does not take."""
    while len(str(folder)) < os.pathconf(folder, "PC_PATH_MAX") - 250:
        folder /= "d" * 200
        folder.mkdir()
    at = os.open(folder, os.O_RDONLY)
    os.close(os.open("f" * 250, os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)


@pytest.mark.usefixtures("settled", "warm")
@pytest.mark.timeout(60)
def test_pipes_and_devices_neither_stop_nor_fill_anything(course: SmallCourse) -> None:
    path = course.hand_in("ken")
    os.mkfifo(path.with_name("data.txt"))
    os.mkfifo(path.with_name("timestamp.txt"))
    path.with_name("zeros.bin").symlink_to("/dev/zero")
    course.hand_in("zoe").with_name("timestamp.txt").symlink_to("/dev/zero")
    add_a_path_that_is_too_long(course.hand_in("max").parent)
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


@pytest.mark.usefixtures("settled", "warm")
def test_what_a_person_gave_for_a_free_text_stays(course: SmallCourse, runner: Runner) -> None:
    source = course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    source.write_text(json.dumps(with_essay(json.loads(source.read_text()), "Why?")))
    course.hand_in("ada", with_essay(submitted_notebook({FIRST: "a: [", SECOND: ""}), "Because."))
    forget(course)
    run(course, "GenerateAssignment")
    run(course, "Autograde")
    assert rows(course)[0]["ada", "essay"] == (None, True)
    with opened(course) as book:
        book.find_grade("essay", NOTEBOOK, ASSIGNMENT, "ada").manual_score = 4.5
        book.find_comment("essay", NOTEBOOK, ASSIGNMENT, "ada").manual_comment = "Well said."
        book.find_grade(cell_id("check", FIRST), NOTEBOOK, ASSIGNMENT, "ada").extra_credit = 1
        book.db.commit()
    course.hand_in("ada", with_essay(submitted_notebook(), "Because."))
    for regrade in (lambda: run(course, "Autograde", force=True), lambda: grade(course, runner)):
        regrade()
        with opened(course) as book:
            given = book.find_grade("essay", NOTEBOOK, ASSIGNMENT, "ada")
            assert (given.score, given.needs_manual_grade) == (4.5, True)  # nbgrader asks to look again
            assert book.find_comment("essay", NOTEBOOK, ASSIGNMENT, "ada").comment == "Well said."
            assert book.find_submission(ASSIGNMENT, "ada").score == 3 + 1 + 3 + 4.5
    run(course, "GenerateFeedback", force=True)
    page = (course.root / "feedback" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.html").read_text()
    assert "Well said." in page
    assert "Because." in page


@pytest.mark.usefixtures("settled", "warm")
def test_what_formgrader_asks_for(course: SmallCourse, runner: Runner) -> None:
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    course.hand_in("ada")
    course.hand_in("dennis", b"{")
    grade(course, runner)
    course.hand_in("zoe", submitted_notebook({FIRST: answer_to(FIRST), SECOND: ""}))
    config = configuration(course.root).config
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    (assignment,) = api.get_assignments()
    assert (assignment["name"], assignment["num_submissions"], assignment["max_score"]) == (ASSIGNMENT, 3, 6)
    shown = {
        one["student"]: (one["autograded"], one["needs_manual_grade"], one["score"])
        for one in api.get_submissions(ASSIGNMENT)
    }
    assert shown == {"ada": (True, False, 6), "dennis": (True, True, 0), "zoe": (False, False, 0)}
    assert len(api.get_notebook_submissions(ASSIGNMENT, NOTEBOOK)) == 2
    result = api.autograde(ASSIGNMENT, "zoe")
    assert result["success"], result
    zoe = api.get_submission(ASSIGNMENT, "zoe")
    assert (zoe["autograded"], zoe["needs_manual_grade"], zoe["score"]) == (True, True, 3)
    assert api.generate_feedback(ASSIGNMENT, "zoe")["success"]
    assert (course.root / "feedback" / "zoe" / ASSIGNMENT / f"{NOTEBOOK}.html").is_file()


@pytest.mark.usefixtures("settled", "warm")
def test_a_notebook_that_is_missing_has_no_score(course: SmallCourse, runner: Runner) -> None:
    source = course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    source.with_name("second.ipynb").write_text(source.read_text())
    course.hand_in("ada")
    grade(course, runner)
    with opened(course) as book:
        submission = book.find_submission_notebook("second", ASSIGNMENT, "ada")
        ours = [(row.auto_score, row.needs_manual_grade) for row in submission.grades]
        comments = [row.auto_comment for row in submission.comments]
    run(course, "Autograde", force=True)
    with opened(course) as book:
        submission = book.find_submission_notebook("second", ASSIGNMENT, "ada")
        assert [(row.auto_score, row.needs_manual_grade) for row in submission.grades] == ours == [(None, True)] * 2
        assert [row.auto_comment for row in submission.comments] == comments
        assert book.find_submission_notebook(NOTEBOOK, ASSIGNMENT, "ada").score == 6
