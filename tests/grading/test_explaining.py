"""How a verdict came about, told step by step, and reproduced from a bundle."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from small_course import EXERCISES, Grading, SmallCourse, answer_to, cell_id, cell_of, submitted_notebook

from autograder.cli import main
from autograder.exercises import Runner
from autograder.grading.digests import Key
from autograder.grading.ledger import Entry, Ledger
from autograder.grading.replaying import (
    BadBundle,
    differences,
    digests,
    handed_in,
    read_bundle,
    replay,
    write_bundle,
)

DRAWN, PLAIN = EXERCISES
WRONG = answer_to(DRAWN).replace("blue", "red")


@pytest.fixture
def course(course: SmallCourse, monkeypatch: pytest.MonkeyPatch) -> SmallCourse:
    """A course in which ada has a colour wrong, and the checks try something out."""
    monkeypatch.setenv("AUTOGRADER_EXERCISES", str(course.root / "exercises"))
    checks = course.root / "exercises" / DRAWN / "checks.py"
    name = DRAWN.partition("/")[2]
    checks.write_text(
        checks.read_text()
        + f"""

@criterion("can be deleted", points=1)
def can_be_deleted(review: Review) -> None:
    \"\"\"Whoever makes it may take it away.\"\"\"
    trial = review.trial()
    trial.delete(trial.object("ConfigMap", "{name}"))
"""
    )
    task = course.root / "exercises" / DRAWN / "task.md"
    task.write_text(task.read_text().replace("points: 3", "points: 4"))
    course.hand_in("ada", submitted_notebook({DRAWN: WRONG, PLAIN: ""}))
    return course


def run(*arguments: object) -> int:
    return main(["explain", *map(str, arguments)])


def mended(course: SmallCourse, old: str, new: str) -> None:
    checks = course.root / "exercises" / DRAWN / "checks.py"
    checks.write_text(checks.read_text().replace(old, new))


def test_every_step_is_told(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ada", DRAWN, "--course", course.root) == 0
    told = capsys.readouterr().out
    for step in (
        "maps/settings (settings), as ada handed it in for 01-maps",
        "      6 |   colour: red",
        "   apply ConfigMap settings",
        "   PASS exists: there is the ConfigMap settings",
        "   FAIL colour (0/1): settings.yaml:6:",
        "          wanted: blue",
        "          delete ConfigMap settings",
        "admin  created ConfigMap default/settings",
        "The verdict: 3 of 4 points (graded)",
        "No verdict on it is in the ledger yet.",
    ):
        assert step in told, step
    assert told.index("1. The answer") < told.index("2. What") < told.index("3. The checks") < told.index("4. What")


def test_what_was_tried_out_stays_on_the_copy(course: SmallCourse, runner: Runner) -> None:
    replayed = replay(runner, handed_in(course.root, "ada", DRAWN))
    assert not any("deleted ConfigMap" in line for line in replayed.timeline)


def test_an_answer_commands_no_terminal(course: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    course.hand_in("ada", submitted_notebook({DRAWN: f"{WRONG}# \x1b[2J\x07\u202e\n"}))
    run("ada", DRAWN, "--course", course.root)
    told = capsys.readouterr().out
    assert "\\x1b[2J" in told
    assert not {"\x1b", "\x07", "\u202e"} & set(told)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "was not handed in"), (b"{", "the notebook is not valid JSON"),
     (submitted_notebook({DRAWN: ""}), "there is no answer yet")],
)  # fmt: skip
def test_what_was_not_judged_is_explained_too(
    course: SmallCourse, capsys: pytest.CaptureFixture[str], content: Any, said: str
) -> None:
    course.hand_in("ada", content if content is not None else b"{}")
    if content is None:
        (course.submission("ada").folder / "01-maps.ipynb").unlink()
    assert run("ada", DRAWN, "--course", course.root) == 0
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nobody", DRAWN], "no folder of 'nobody'"), (["ada", "maps/none"], "no notebook"), (["ada"], "name a student"),
     (["--from", "none.zip"], "none.zip")],
)  # fmt: skip
def test_what_cannot_be_explained(
    course: SmallCourse, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(*arguments, "--course", course.root) == 2
    assert said in capsys.readouterr().err


def test_a_bundle_reproduces_the_verdict(
    course: SmallCourse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "ada.zip"
    assert run("ada", DRAWN, "--course", course.root, "--bundle", bundle) == 0
    assert run("--from", bundle) == 0
    assert capsys.readouterr().out.endswith("The same verdict as in the bundle.\n")
    with zipfile.ZipFile(bundle) as archive:
        assert archive.read("answer/settings.yaml").decode().strip() == WRONG.strip()
        held = json.loads(archive.read("explanation.json"))
    assert {"values", "digests", "versions", "verdict", "steps", "timeline"} <= held.keys()
    assert held["steps"] == {"can be deleted": ["delete ConfigMap settings"]}
    assert "checks.py" not in json.dumps(held)


def test_a_bundle_tells_when_the_exercise_has_become_another(
    course: SmallCourse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "ada.zip"
    run("ada", DRAWN, "--course", course.root, "--bundle", bundle)
    mended(course, '.equals("blue")', '.equals("red")')
    assert run("--from", bundle) == 1
    told = capsys.readouterr().out
    assert "Another verdict than in the bundle:" in told
    assert "   earned: 3 -> 4" in told
    assert "   colour: 0 -> 1 of 1" in told
    assert "the exercise is another version" in told


VERDICT: dict[str, Any] = {"exercise": DRAWN, "status": "graded", "earned": 0, "possible": 4, "criteria": []}
LIE = {
    "name": "x", "role": "gate", "outcome": "passed", "earned": "all", "possible": 0, "message": "x", "wanted": None,
    "found": None, "where": None, "why": "",
}  # fmt: skip


def bundle_of(tmp_path: Path, **changed: Any) -> Path:
    held: dict[str, Any] = {
        "format": 1, "student": "ada", "assignment": "01-maps", "exercise": DRAWN, "values": {}, "individual": False,
        "notes": [], "digests": {}, "versions": {}, "verdict": VERDICT, "judged": True, **changed,
    }  # fmt: skip
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("explanation.json", json.dumps(held))
        archive.writestr("answer/../../up.yaml", "a: b")
    return path


@pytest.mark.parametrize(
    "changed",
    [{"format": 2}, {"values": {"size": 5}}, {"values": 1}, {"digests": 3}, {"judged": 1, "verdict": {}},
     {"notes": None}, {"verdict": [["criteria", []]]}, {"verdict": {**VERDICT, "criteria": [LIE]}},
     {"verdict": {**VERDICT, "status": "full"}}, {"exercise": ["x"]}, {"exercise": "../evil"}],
)  # fmt: skip
def test_what_is_no_bundle_is_refused(course: SmallCourse, tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(BadBundle):
        read_bundle(bundle_of(tmp_path, **changed))


def test_a_file_that_is_no_zip_or_swells_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(b"PK nonsense")
    with pytest.raises(BadBundle, match="no bundle"):
        read_bundle(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("explanation.json", b"0" * (9 * 1024 * 1024))
    with pytest.raises(BadBundle, match="larger than a bundle"):
        read_bundle(path)


def test_a_bundle_does_not_bring_its_own_checks(course: SmallCourse, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(course.root / "exercises" / DRAWN, theirs)
    (theirs / "checks.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')")
    for name in (str(theirs), f"{DRAWN}/../../../../theirs", f"./{DRAWN}"):
        with pytest.raises(BadBundle, match="the course has no exercise"):
            read_bundle(bundle_of(tmp_path, exercise=name))
    assert not (tmp_path / "pwned").exists()


def test_a_name_in_a_bundle_leads_nowhere(course: SmallCourse, tmp_path: Path, runner: Runner) -> None:
    bundle = read_bundle(bundle_of(tmp_path))
    verdict = replay(runner, bundle.handed).verdict
    assert "is no name for a file of an answer" in verdict.criteria[0].message
    assert list(tmp_path.rglob("up.yaml")) == []


def test_the_ledger_says_whether_this_was_said_before(
    course: SmallCourse, runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    handed = handed_in(course.root, "ada", DRAWN)
    replayed, decided = replay(runner, handed), digests(handed)
    key = Key(decided["answer"], decided["exercise"], decided["grader"], "embedded")
    with Ledger.open(course.root) as ledger:
        ledger.add([Entry("ada", "01-maps", "check-maps-settings", key, replayed.verdict, WRONG)])
    assert run("ada", DRAWN, "--course", course.root) == 0
    assert "It is the verdict that was given on 20" in capsys.readouterr().out
    mended(course, '.equals("blue")', '.equals("red")')
    assert run("ada", DRAWN, "--course", course.root) == 1
    told = capsys.readouterr().out
    assert "the exercise is another one" in told
    assert "earned: 3 -> 4" in told


@pytest.mark.parametrize("source", ["", " \n", "%%manifest other.yaml\nkind: ConfigMap\n", "kind: ConfigMap\n"])
def test_of_a_cell_without_an_answer_the_same_is_said_as_when_it_was_graded(
    course: SmallCourse, grade: Grading, runner: Runner, source: str
) -> None:
    notebook = submitted_notebook()
    cell_of(notebook, cell_id("answer", DRAWN))["source"] = source
    graded = grade(notebook).graded[0].verdict
    explained = replay(runner, handed_in(course.root, "ada", DRAWN)).verdict
    assert (explained.status, differences(graded.to_json(), explained.to_json())) == (graded.status, [])


def test_a_written_bundle_holds_the_whole_answer(course: SmallCourse, tmp_path: Path, runner: Runner) -> None:
    replayed = replay(runner, handed_in(course.root, "ada", DRAWN))
    write_bundle(tmp_path / "x.zip", replayed)
    read = read_bundle(tmp_path / "x.zip")
    assert read.handed.answer == replayed.handed.answer
    assert differences(read.verdict, replayed.verdict.to_json(complete=True)) == []
