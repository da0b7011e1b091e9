"""The values of a student's own: the sheet that says them, and what a verdict says of another student's values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.exercises import BadExercise, Exercise, Runner
from autograder.exercises.commands import check
from autograder.exercises.sheets import FILE, OWN_VALUES, BadSheet, Sheet, key_of, load_own, read, remarked

SECRET = b"a secret of the course"
SHEET = Sheet("ada", "01-maps", {"topic/settings": {"size": 7}}).signed(SECRET)


def written(folder: Path, sheet: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_text(json.dumps(sheet.to_json() if isinstance(sheet, Sheet) else sheet))
    return folder


def test_a_sheet_is_the_same_after_it_was_stored(tmp_path: Path) -> None:
    assert read(written(tmp_path / "work", SHEET)) == SHEET
    assert SHEET.is_signed_by(SECRET)


@pytest.mark.parametrize(
    "changed",
    [{"student": "grace"}, {"assignment": "02"}, {"values": {"topic/settings": {"size": 8}}}, {"signature": "\udce9"},
     {"key": "x"}],
)  # fmt: skip
def test_whoever_changes_a_sheet_breaks_its_signature(changed: dict[str, object]) -> None:
    assert not Sheet.parse({**SHEET.to_json(), **changed}).is_signed_by(SECRET)


def test_a_sheet_tells_nothing_of_the_secret() -> None:
    assert SECRET.decode() not in json.dumps(SHEET.to_json())
    assert key_of(SECRET) != key_of(SECRET + b"!")


@pytest.mark.parametrize(
    "raw",
    [None, [], {}, {**SHEET.to_json(), "student": 1}, {**SHEET.to_json(), "values": []},
     {**SHEET.to_json(), "values": {"a": {"b": [1]}}}, {**SHEET.to_json(), "values": {"a": {"b": True}}}],
)  # fmt: skip
def test_what_is_no_sheet_is_refused(raw: object) -> None:
    with pytest.raises(BadSheet):
        Sheet.parse(raw)


def test_a_student_works_with_the_values_of_the_sheet(exercise: Exercise, tmp_path: Path) -> None:
    own = load_own(exercise.id, written(tmp_path / "work", SHEET))
    assert "`size` is 7" in own.task
    assert load_own(exercise.id, tmp_path).values == exercise.values


@pytest.mark.parametrize("sheet", [{"no": "sheet"}, {**SHEET.to_json(), "values": {"topic/settings": {"size": 1000}}},
                                   {**SHEET.to_json(), "values": {"topic/settings": {"colour": "red"}}}])  # fmt: skip
def test_a_broken_sheet_is_explained(exercise: Exercise, tmp_path: Path, sheet: object) -> None:
    with pytest.raises(BadExercise, match="get your copy of the assignment again"):
        load_own(exercise.id, written(tmp_path / "work", sheet))


def test_check_in_a_terminal_judges_by_the_sheet(
    exercise: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from autograder.cli import parser

    folder = written(tmp_path / "work", SHEET)
    (folder / "settings.yaml").write_text(exercise.with_values({"size": 7}).solution)
    options = parser().parse_args(["check", exercise.id, str(folder / "settings.yaml")])
    assert check(options) == 1
    monkeypatch.chdir(folder)
    assert check(options) == 0
    assert "3 of 3" in capsys.readouterr().out
    (folder / "settings.yaml").write_text(exercise.with_values({"size": 4}).solution)
    assert check(options) == 1
    assert "in your task `size` is 7, and here it is 4" in capsys.readouterr().out


def test_another_students_value_is_named_and_nobody_is_accused(runner: Runner, exercise: Exercise) -> None:
    mine, theirs = exercise.with_values({"size": 7}), exercise.with_values({"size": 4})
    verdict = remarked(mine, runner.judge(mine, mine.answer(theirs.solution)))
    assert (verdict.earned, verdict.possible) == (1, 3)
    said = verdict.criteria[-1]
    assert (said.name, said.earned, said.possible) == (OWN_VALUES, 0, 0)
    assert said.message == "in your task `size` is 7, and here it is 4"


@pytest.mark.parametrize("size", [7, 100])
def test_a_value_that_nobody_has_is_no_other_students(runner: Runner, exercise: Exercise, size: int) -> None:
    mine = exercise.with_values({"size": 7})
    verdict = runner.judge(mine, mine.answer(exercise.with_values({"size": size}).solution))
    assert remarked(mine, verdict) is verdict
