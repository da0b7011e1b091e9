"""``autograder grade``: one command from submitted notebooks to a table, a gradebook, and an exit code."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from small_course import EXERCISES, SmallCourse, answer_to, cell_id, cell_of, submitted_notebook, with_essay

from autograder.cli import main
from autograder.grading.ledger import FILE, Ledger

FIRST, SECOND = EXERCISES

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def verdicts(course: SmallCourse, *arguments: str) -> tuple[int, Any]:
    """The exit code, and what ``--json`` wrote but for the seconds."""
    file = course.root / "verdicts.json"
    code = main(["grade", "--course", str(course.root), "--json", str(file), *arguments])
    found = json.loads(file.read_text())
    for submission in found["submissions"]:
        assert submission.pop("seconds") >= 0
    return code, found


def test_one_worker_as_four(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    course.hand_in("ada")
    course.hand_in("ken", submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "red"), SECOND: "a: ["}))
    course.hand_in("dennis", b"{")
    (course.root / "submitted" / "nobody").mkdir()
    (course.root / "submitted" / "notes.txt").touch()
    one = verdicts(course, "--workers", "1")
    table = capsys.readouterr().out
    for again in (["--workers", "4", "--fresh"], ["--workers", "1", "--fresh"], ["--workers", "4"]):
        assert verdicts(course, *again) == one
    code, found = one
    assert code == 1  # somebody has to look at what cannot be read
    assert [submission["student"] for submission in found["submissions"]] == ["ada", "dennis", "ken", "nobody"]
    rows = {line.split()[0]: line for line in table.splitlines() if line.strip()}
    assert rows["ada"].split()[1:5] == ["3", "3", "6/6", "100%"]
    assert rows["dennis"].split()[1:5] == ["unreadable", "unreadable", "-", "-"]
    assert rows["ken"].split()[1:5] == ["2", "unreadable", "2/6*", "33%*"]
    assert rows["nobody"].split()[1:5] == ["not", "submitted", "not", "submitted"]
    assert "dennis, 01-maps: unreadable: the notebook is not valid JSON" in table
    assert "submitted/notes.txt is not a folder; passed over" in table
    assert (course.root / "gradebook.db").is_file()
    assert sorted(path.name for path in (course.root / "autograded").iterdir()) == ["ada", "dennis", "ken"]


def test_feedback_can_be_released(course: SmallCourse) -> None:
    """``nbgrader release_feedback`` asks for both files, which ``nbgrader generate_feedback`` copies from here."""
    receipts = {"timestamp.txt": "2026-03-01 10:00:00.000000 UTC", "submission_secret.txt": "0123456789abcdef" * 8}
    for name, text in receipts.items():
        (course.hand_in("ada").parent / name).write_text(text)
    hostile = course.hand_in("ken").parent
    (hostile / "timestamp.txt").symlink_to(course.root / "nbgrader_config.py")
    (hostile / "submission_secret.txt").write_text("x" * 10_000)
    assert verdicts(course, "--workers", "1")[0] == 0
    graded = {student: course.root / "autograded" / student / "01-maps" for student in ("ada", "ken")}
    assert {name: (graded["ada"] / name).read_text() for name in receipts} == receipts
    assert [path.suffix for path in graded["ken"].iterdir()] == [".ipynb"]


def test_what_nobody_has_handed_in_yet_is_left_out(course: SmallCourse) -> None:
    course.hand_in("ada")
    later = course.root / "source" / "02-later"
    later.mkdir()
    (later / "later.ipynb").write_text(json.dumps({"cells": []}))
    code, found = verdicts(course, "--workers", "1")
    assert (code, [submission["assignment"] for submission in found["submissions"]]) == (0, ["01-maps"])


def test_a_worker_that_is_killed_costs_one_answer(
    course: SmallCourse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = course.root / "exercises" / FIRST / "checks.py"
    checks.write_text(checks.read_text() + '\n\n@criterion("dies", points=1)\ndef dies(review: Review) -> None:\n'
        '    """It should not."""\n    import os\n    if review.objects("Secret"): os._exit(9)\n')  # fmt: skip
    task = course.root / "exercises" / FIRST / "task.md"
    task.write_text(task.read_text().replace("points: 3", "points: 4"))
    source = next((course.root / "source").rglob("*.ipynb"))
    notebook = json.loads(source.read_text())
    notebook["cells"][2]["metadata"]["nbgrader"]["points"] = 4
    source.write_text(json.dumps(notebook))
    course.hand_in("ada")
    deadly = f"{answer_to(FIRST)}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\n"
    course.hand_in("ken", submitted_notebook({FIRST: deadly, SECOND: answer_to(SECOND)}))
    course.hand_in("zoe")
    code, found = verdicts(course, "--workers", "1", "--fresh")
    answers = {one["student"]: one["exercises"] for one in found["submissions"]}
    assert code == 1
    assert [answer["earned"] for answer in answers["ada"]] == [4, 3]
    assert [answer["earned"] for answer in answers["zoe"]] == [4, 3]
    assert [answer["status"] for answer in answers["ken"]] == ["could not be judged", "graded"]
    assert "could not be judged: the process that judged it ended with code 9" in capsys.readouterr().out


def said(course: SmallCourse, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """How many answers were judged and how many were known, as the last line says it."""
    assert main(["grade", "--course", str(course.root), "--workers", "2", *arguments]) == 0
    return capsys.readouterr().out.splitlines()[-1].partition("(")[2].partition(")")[0]


def test_what_was_judged_before_is_not_judged_again(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    red = submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "red"), SECOND: ""})
    course.hand_in("ada")
    assert said(course, capsys) == "2 answers judged"
    assert said(course, capsys) == "0 answers judged, 2 taken from equal ones"
    course.hand_in("ken")  # who answers as ada does
    course.hand_in("linus", red)
    assert said(course, capsys) == "1 answers judged, 4 taken from equal ones"
    assert said(course, capsys, "--fresh") == "5 answers judged"
    checks = course.root / "exercises" / FIRST / "checks.py"
    checks.write_text(checks.read_text().replace('.equals("blue")', '.equals("red")'))
    said(course, capsys)
    with Ledger.open(course.root) as ledger:
        earned = {row.entry.student: row.entry.verdict.earned for row in ledger.rows(exercise=FIRST)}
        history = ledger.history("ada", FIRST)
    assert earned == {"ada": 2, "ken": 2, "linus": 3}
    assert [row.entry.verdict.earned for row in history] == [3, 2]  # the old one stays beside the new
    assert [row.entry.answer for row in history] == [answer_to(FIRST)] * 2


def test_a_run_that_was_killed_is_gone_on_with(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(40):
        own = f"{answer_to(FIRST)}# {number}\n"
        course.hand_in(f"student-{number}", submitted_notebook({FIRST: own, SECOND: f"{answer_to(SECOND)}# {number}"}))
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    command = [sys.executable, "-m", "autograder", "grade", "--course", str(course.root), "--workers", "1"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith(b"10/40"):
            pass
        process.kill()
    assert not (course.root / "gradebook.db").exists()
    with Ledger.open(course.root) as ledger:
        known = sum(1 for _ in ledger.rows())
    assert known >= 20
    left = int(said(course, capsys).split()[0])
    assert 0 < left <= 80 - known


def test_a_ledger_that_cannot_be_used_costs_nothing(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    course.hand_in("ada")
    (course.root / FILE).write_bytes(b"no database " * 1000)
    for _ in range(2):
        assert main(["grade", "--course", str(course.root), "--workers", "1"]) == 0
        out, err = capsys.readouterr()
        assert "6/6" in out
        assert "2 answers judged" in out
        assert err.count("no verdict is remembered") == 1


def test_what_was_tampered_with_is_told_beside_the_points(
    course: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    altered = submitted_notebook()
    cell_of(altered, cell_id("check", FIRST))["source"] = "100.0"
    course.hand_in("ken", altered)
    assert main(["grade", "--course", str(course.root), "--workers", "1"]) == 1
    out = capsys.readouterr().out
    assert next(line for line in out.splitlines() if line.startswith("ken ")).split()[1:5] == [
        "3",
        "3",
        "6/6!",
        "100%!",
    ]
    assert "ken, 01-maps: tampered: the cell check-maps-settings was changed, and was put right" in out


@pytest.mark.parametrize(
    ("spoil", "arguments", "said"),
    [
        (lambda root: None, ["--assignment", "02-none"], "no assignment 02-none; it has 01-maps"),
        (lambda root: None, [], "nobody has handed in anything"),
        (lambda root: (root / "source" / "01-maps" / "01-maps.ipynb").unlink(), [], "there is no notebook"),
        (lambda root: (root / "source" / "01-maps" / "01-maps.ipynb").write_text("{"), [], "not a notebook"),
        (lambda root: (root / "nbgrader_config.py").write_text("c = ("), [], "nbgrader_config.py cannot be used"),
        (lambda root: None, ["--cluster", "cloud"], "no cluster is known as 'cloud'"),
    ],
)
def test_what_the_instructor_has_to_put_right(
    course: SmallCourse, capsys: pytest.CaptureFixture[str], spoil: Any, arguments: list[str], said: str
) -> None:
    if said != "nobody has handed in anything":
        course.hand_in("ada")
    spoil(course.root)
    assert main(["grade", "--course", str(course.root), "--workers", "1", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_points_that_do_not_agree(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    course.hand_in("ada")
    source = next((course.root / "source").rglob("*.ipynb"))
    source.write_text(source.read_text().replace('"points": 3', '"points": 4', 1))
    assert main(["grade", "--course", str(course.root)]) == 2
    assert "check-maps-settings is worth 4 points, and maps/settings 3" in capsys.readouterr().err


def test_an_assignment_without_exercises_waits_for_a_person(
    course: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = {**submitted_notebook(), "cells": []}
    for place, text in (("source", "Why?"), ("submitted/ada", "Because.")):
        path = course.root / place / "02-essay" / "02-essay.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(with_essay(empty, text)))
    assert main(["grade", "--course", str(course.root), "--workers", "1"]) == 0
    rows = {line.split()[0]: line.split()[1:3] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert rows["ada"] == ["-", "-"]
    with closing(sqlite3.connect(course.root / "gradebook.db")) as gradebook:
        assert gradebook.execute("SELECT auto_score, needs_manual_grade FROM grade").fetchall() == [(None, 1)]


def test_the_course_is_found_from_above_and_from_within(course: SmallCourse) -> None:
    from autograder.grading.assignment import BadCourse, find_course

    here = Path.cwd()
    try:
        for folder in (course.root.parent, course.root, course.root / "source"):
            os.chdir(folder)
            assert find_course() == course.root
        os.chdir("/")
        with pytest.raises(BadCourse, match="name the course's folder with --course"):
            find_course()
    finally:
        os.chdir(here)


def test_on_the_command_line_outside_of_the_course(course: SmallCourse, tmp_path: Path) -> None:
    course.hand_in("ada")
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-m", "autograder", "grade"],
        cwd=course.root.parent, env={"PYTHONPATH": path, "HOME": str(tmp_path), "PATH": "/nowhere"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "6/6" in ran.stdout
    assert "1/1 submissions" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Warning" not in ran.stderr


def test_those_on_the_roster_who_handed_in_nothing(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    from autograder.grading.configuration import configuration
    from autograder.grading.gradebook import opened

    with opened(configuration(course.root)) as book:
        book.add_student("ken", first_name="Ken")
    course.hand_in("ada")
    assert main(["grade", "--course", str(course.root), "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "ada handed in and is not on the roster" in out
    assert "01-maps: on the roster, and handed in nothing: ken" in out
