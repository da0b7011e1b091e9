"""``autograder report``: from the verdicts of a course, or a document of results, to files."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from generated_class import made_up
from small_course import EXERCISES, SmallCourse, answer_to, submitted_notebook

from autograder.cli import main
from autograder.grading.reports.results import texts

FIRST, SECOND = EXERCISES

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "results.json"
    path.write_text("".join(texts(made_up(6))))
    return path


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_each_format_has_its_files(document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert (
        main(["report", "html", "csv", "canvas", "moodle", "junit", "--results", str(document), "--out", str(out)]) == 0
    )
    assert files(out) == {
        "class.html", *(f"students/s000{number}.html" for number in range(6)), "grades.csv", "criteria.csv",
        "similarity.csv", "canvas.csv", "moodle.csv", "junit.xml",
    }  # fmt: skip
    assert "13 files on 11 submissions of 6 students are in" in capsys.readouterr().out


def test_one_assignment(document: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["report", "csv", "--assignment", "07-pods", "--results", str(document), "--out", str(out)]) == 0
    head = next(csv.reader((out / "grades.csv").read_text("utf-8-sig").splitlines()))
    assert "07-pods earned" in head and not any("12-resourcequotas" in name for name in head)


def test_a_worksheet_of_moodle(document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    earned = next(one.grade for one in made_up(6).of("07-pods") if one.student == "s0003")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("Identifier,Username,Grade,Last modified (grade)\nParticipant 1,s0003,,-\n")
    arguments = ["report", "moodle", "--results", str(document), "--out", str(tmp_path), "--worksheet", str(sheet)]
    assert main([*arguments, "--assignment", "07-pods"]) == 0
    assert (tmp_path / "moodle-worksheet.csv").read_text().splitlines()[1] == f"Participant 1,s0003,{earned:g},-"
    assert "not in " in capsys.readouterr().err
    assert main(arguments) == 2
    assert "name it with --assignment" in capsys.readouterr().err


def test_from_the_verdicts_of_a_course(course: SmallCourse, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course.hand_in("ada")
    course.hand_in("ken", submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "red"), SECOND: "a: ["}))
    main(["grade", "--course", str(course.root), "--workers", "1"])
    assert main(["report", "html", "gradescope", "canvas", "--course", str(course.root), "--out", str(tmp_path)]) == 0
    page = (tmp_path / "students" / "ken.html").read_text("utf-8")
    assert "found <code>red</code>, wanted <code>blue</code>" in page
    assert json.loads((tmp_path / "gradescope" / "01-maps" / "ada" / "results.json").read_text())["score"] == 6
    assert "left empty, since answers wait for somebody to look at them: ken 01-maps" in capsys.readouterr().err


def test_what_stands_in_the_gradebook_goes_along(course: SmallCourse, tmp_path: Path) -> None:
    course.hand_in("ada")
    course.hand_in("ken", submitted_notebook({FIRST: "a: [", SECOND: answer_to(SECOND)}))
    main(["grade", "--course", str(course.root), "--workers", "1"])
    with closing(sqlite3.connect(course.root / "gradebook.db")) as gradebook, gradebook:
        gradebook.execute(
            "UPDATE student SET first_name = 'Ken', last_name = 'Thompson', lms_user_id = 7 WHERE id = 'ken'"
        )
        gradebook.execute("UPDATE grade SET manual_score = 1.5 WHERE auto_score IS NULL")
        gradebook.execute("UPDATE submitted_notebook SET late_submission_penalty = 0.5")
    assert main(["report", "canvas", "json", "--course", str(course.root), "--out", str(tmp_path)]) == 0
    rows = list(csv.reader((tmp_path / "canvas.csv").read_text().splitlines()))
    assert rows[2:] == [["ada", "", "", "ada", "", "5.5"], ["Thompson, Ken", "7", "", "ken", "", "4"]]
    ken = json.loads((tmp_path / "results.json").read_text())["submissions"][1]
    assert ken["recorded"] == {"score": 4.5, "possible": 6, "penalty": 0.5, "waiting": 0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--results", "nowhere.json"], "nowhere.json"),
        (["--assignment", "02-none", "--results", "RESULTS"], "no assignment 02-none; there are: 07-pods"),
        (["--course", "COURSE"], "has no verdicts yet; grade first"),
    ],
)
def test_what_the_instructor_has_to_put_right(
    course: SmallCourse,
    document: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    stand = {"RESULTS": str(document), "COURSE": str(course.root)}
    given = [stand.get(argument, argument) for argument in arguments]
    assert main(["report", "csv", *given, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
