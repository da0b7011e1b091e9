"""A course with a secret: copies of an assignment for each student, and grading that knows each one's values."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from small_course import ASSIGNMENT, EXERCISES, NOTEBOOK, SmallCourse, cell_id, cell_of, scores

from autograder.checks import Status
from autograder.cli import main
from autograder.exercises import Exercise, Runner, load
from autograder.exercises.sheets import FILE, KEY, OWN_VALUES
from autograder.grading import individual
from autograder.grading.assignment import BadCourse
from autograder.grading.engine import Engine
from autograder.grading.graded import GradedSubmission
from autograder.grading.individual import Individual
from autograder.grading.memory import Memory

SECRET = "a secret of some length"
DRAWN = EXERCISES[0]


@pytest.fixture
def course(course: SmallCourse, monkeypatch: pytest.MonkeyPatch) -> SmallCourse:
    """The small course, in which the size of one exercise is drawn, and which has a secret."""
    folder = course.root / "exercises" / DRAWN
    parameters = "minutes: 5\nparameters:\n  size: {default: 3, range: [3, 9]}\n"
    for name in ("task.md", "solution.yaml", "checks.py"):
        path = folder / name
        text = path.read_text().replace("minutes: 5\n", parameters)
        text = text.replace("size 3", "size {{ size }}").replace("size: '3'", "size: '{{ size }}'")
        path.write_text(text.replace('.equals("3")', '.equals(str(review.values["size"]))'))
    (folder / "starter.yaml").write_text("# size: {{ size }}\n")
    source = course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    document = json.loads(source.read_text())
    task = load(DRAWN, course.root / "exercises").task
    document["cells"].insert(
        1, {"cell_type": "markdown", "id": "task", "metadata": {}, "source": f"### Do it\n\n{task}"}
    )
    source.write_text(json.dumps(document))
    (source.parent / "picture.svg").write_text("<svg/>")
    monkeypatch.setenv(individual.VARIABLE, SECRET)
    monkeypatch.setenv("AUTOGRADER_EXERCISES", str(course.root / "exercises"))
    return course


def own(course: SmallCourse, student: str) -> Exercise:
    return load(DRAWN, course.root / "exercises").drawn_for(student, SECRET.encode())


def assign(course: SmallCourse, *students: str) -> None:
    assert main(["assign", ASSIGNMENT, "--course", str(course.root), "--students", *students]) == 0


def copy_of(course: SmallCourse, student: str) -> Any:
    path = course.root / "release" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


def test_nbgrader_knows_the_assignment_then(course: SmallCourse) -> None:
    assign(course, "ada")
    with closing(sqlite3.connect(course.root / "gradebook.db")) as database:
        assert database.execute("SELECT name FROM assignment").fetchall() == [(ASSIGNMENT,)]


def two_with_other_values(course: SmallCourse) -> tuple[str, str]:
    first = "ada"
    other = next(
        name for name in ("grace", "linus", "ken", "edsger") if own(course, name).values != own(course, first).values
    )
    return first, other


def hand_in(course: SmallCourse, runner: Runner, student: str, *, made_for: str, values_of: str) -> GradedSubmission:
    """Grade a copy that was made for somebody, with the answers that are right for somebody."""
    document = copy_of(course, made_for)
    for exercise in EXERCISES:
        loaded = load(exercise, course.root / "exercises").drawn_for(values_of, SECRET.encode())
        cell_of(document, cell_id("answer", exercise))["source"] = f"{loaded.header}\n{loaded.solution}"
    course.hand_in(student, document)
    engine = Engine(runner, course.root / "exercises", Individual.of(course.root))
    return engine.grade(course.assignment, course.submission(student))


def test_each_copy_has_the_task_the_starter_and_the_sheet_of_its_student(course: SmallCourse) -> None:
    students = two_with_other_values(course)
    assign(course, *students)
    for student in students:
        document, size = copy_of(course, student), own(course, student).values["size"]
        assert f"the size {size}." in document["cells"][1]["source"]
        assert f"# size: {size}" in cell_of(document, cell_id("answer", DRAWN))["source"]
        sheet = document["metadata"][KEY]
        assert (sheet["student"], sheet["values"]) == (student, {DRAWN: {"size": size}})
        folder = course.root / "release" / student / ASSIGNMENT
        assert json.loads((folder / FILE).read_text()) == sheet
        assert (folder / "picture.svg").is_file()
        assert "SOLUTION" not in json.dumps(document)
        assert SECRET not in "".join(path.read_text() for path in folder.iterdir())


def test_right_by_ones_own_values(course: SmallCourse, runner: Runner) -> None:
    first, second = two_with_other_values(course)
    assign(course, first, second)
    for student in (first, second):
        graded = hand_in(course, runner, student, made_for=student, values_of=student)
        assert scores(graded) == [3, 3]
        assert graded.notebooks[0].notes == ()


def test_anothers_notebook_loses_what_differs_and_says_so(course: SmallCourse, runner: Runner) -> None:
    first, second = two_with_other_values(course)
    assign(course, first, second)
    graded = hand_in(course, runner, second, made_for=first, values_of=first)
    assert scores(graded) == [1, 3]
    assert [note.text for note in graded.notebooks[0].notes] == [individual.OTHER_SHEET]
    said = graded.graded[0].verdict.criteria[-1]
    mine, theirs = own(course, second).values["size"], own(course, first).values["size"]
    assert (said.name, said.message) == (OWN_VALUES, f"in your task `size` is {mine}, and here it is {theirs}")


def test_a_verdict_on_the_same_text_is_not_taken_from_somebody_with_other_values(
    course: SmallCourse, runner: Runner
) -> None:
    first, second = two_with_other_values(course)
    memory = Memory()
    engine = Engine(runner, course.root / "exercises", Individual.of(course.root), memory=memory)
    task = course.assignment.tasks[0]
    answer = f"{task.opening}\n{own(course, first).solution}"
    earned = [engine.judge(task, answer, student).verdict.earned for student in (first, second, first)]
    assert earned == [3, 1, 3]


def test_anothers_sheet_changes_nothing_for_who_has_the_right_values(course: SmallCourse, runner: Runner) -> None:
    first, second = two_with_other_values(course)
    assign(course, first, second)
    graded = hand_in(course, runner, second, made_for=first, values_of=second)
    assert scores(graded) == [3, 3]


@pytest.mark.parametrize(
    ("sheet", "note"),
    [(None, individual.NO_SHEET), ("nonsense", individual.CHANGED_SHEET), ("values", individual.CHANGED_SHEET)],
)
def test_a_sheet_that_was_changed_gives_nothing(
    course: SmallCourse, runner: Runner, sheet: str | None, note: str
) -> None:
    assign(course, "ada")
    document = copy_of(course, "ada")
    metadata = document["metadata"]
    if sheet == "values":
        metadata[KEY]["values"][DRAWN]["size"] += 1
    else:
        metadata[KEY] = sheet
    course.hand_in("ada", document)
    engine = Engine(runner, course.root / "exercises", Individual.of(course.root))
    graded = engine.grade(course.assignment, course.submission("ada"))
    assert {one.text for one in graded.notebooks[0].notes} == {note}


@pytest.mark.parametrize(
    ("now", "said"), [(None, individual.NO_SECRET), ("quite another secret", individual.OTHER_SECRET)]
)
def test_nobody_loses_points_because_a_secret_is_lost(
    course: SmallCourse, runner: Runner, monkeypatch: pytest.MonkeyPatch, now: str | None, said: str
) -> None:
    assign(course, "ada")
    if now is None:
        monkeypatch.delenv(individual.VARIABLE)
    else:
        monkeypatch.setenv(individual.VARIABLE, now)
    graded = hand_in(course, runner, "ada", made_for="ada", values_of="ada")
    assert [one.verdict.status for one in graded.graded] == [Status.COULD_NOT_BE_JUDGED, Status.GRADED]
    assert scores(graded) == [None, 3]
    assert graded.graded[0].verdict.criteria[0].message == said


def test_without_a_secret_all_have_the_defaults(
    course: SmallCourse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(individual.VARIABLE)
    assign(course, "ada", "grace")
    assert copy_of(course, "ada") == copy_of(course, "grace")
    assert KEY not in copy_of(course, "ada")["metadata"]
    assert "All have the same values" in capsys.readouterr().out


def test_a_task_that_the_notebook_tells_otherwise_stops_the_command(
    course: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    path = course.root / "exercises" / DRAWN / "task.md"
    path.write_text(path.read_text().replace("the colour blue", "the colour of the sky"))
    student = next(name for name in ("ada", "grace", "linus") if own(course, name).values["size"] != 3)
    assert main(["assign", ASSIGNMENT, "--course", str(course.root), "--students", student]) == 2
    assert "make the notebooks again" in capsys.readouterr().err
    assert not (course.root / "release" / student / ASSIGNMENT).exists()


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "x" * 200, "a\nb"])
def test_a_name_that_leads_elsewhere_is_refused(
    course: SmallCourse, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["assign", ASSIGNMENT, "--course", str(course.root), "--students", name]) == 2
    assert "is no name for a student's folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "table", ["ada\ngrace\n", "id,last_name\nada,L\ngrace,H\n", 'last_name,ID\r\n\'L,ada\r\n"H, Jr",grace\r\n']
)
def test_a_roster_names_the_students(course: SmallCourse, tmp_path: Path, table: str) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(table)
    assert main(["assign", ASSIGNMENT, "--course", str(course.root), "--roster", str(roster)]) == 0
    assert sorted(path.name for path in (course.root / "release").iterdir()) == ["ada", "grace"]


def test_a_roster_without_a_column_of_names_is_refused(
    course: SmallCourse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("name,mail\nAda L,ada@example.org\n")
    for file, said in ((roster, "no column is called id"), (tmp_path / "nowhere.csv", "No such file or directory")):
        assert main(["assign", ASSIGNMENT, "--course", str(course.root), "--roster", str(file)]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert "Errno" not in error


def test_a_secret_is_made_once_and_for_its_owner_alone(
    course: SmallCourse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(individual.VARIABLE)
    path = course.root / individual.FILE
    said = []
    for _ in range(2):
        assert main(["secret", "--course", str(course.root)]) == 0
        said.append((path.read_text(), capsys.readouterr().out.splitlines()[-1]))
    assert said[0] == said[1]
    assert path.read_text().strip() not in said[0][1]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        with pytest.raises(BadCourse, match="can be read by others"):
            Individual.of(course.root)


@pytest.mark.parametrize("given", ["", "short"])
def test_a_secret_that_can_be_guessed_is_refused(
    course: SmallCourse, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(individual.VARIABLE, given)
    with pytest.raises(BadCourse, match="a secret has 16 to 4096"):
        Individual.of(course.root)
