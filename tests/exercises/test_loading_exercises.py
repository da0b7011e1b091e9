"""Loading an exercise: what is wrong with one is said to its author."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.exercises import BadExercise, Form, Kind, exercise_ids, load
from autograder.exercises.loading import stray_files


def test_an_exercise_is_its_texts_and_checks(folder: Path) -> None:
    exercise = load("topic/settings")
    assert (exercise.id, exercise.title, exercise.kind) == ("topic/settings", "Settings", Kind.MANIFEST)
    assert (exercise.points, exercise.minutes, exercise.namespaces) == (3, 5, ("default",))
    assert [check.name for check in exercise.checks] == ["exists", "colour", "size"]
    assert exercise.task.startswith("Write the ConfigMap `settings`")
    assert exercise.hints == ("It is a map.", "Numbers in it are texts.")
    assert list(exercise.mutants) == ["large.yaml", "name.yaml", "red.yaml"]


def test_it_is_found_by_id_and_by_folder(folder: Path) -> None:
    assert exercise_ids() == ["topic/settings"]
    assert load(str(folder)).id == load("topic/settings").id


def test_values_are_filled_into_every_text(folder: Path) -> None:
    exercise = load("topic/settings").with_values({"name": "mine", "size": 7})
    assert "`mine`" in exercise.task
    assert 'size: "7"' in exercise.solution
    assert '"mine"' in exercise.accepted["json.yaml"]


def test_an_unknown_one_lists_those_there_are(folder: Path) -> None:
    with pytest.raises(BadExercise, match="there is no exercise 'topic/setting'; there are: topic/settings"):
        load("topic/setting")


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("task.md", "---\n", "", "front matter between two lines"),
        ("task.md", "title: Settings\n", "", "title is missing"),
        ("task.md", "minutes: 5\n", "minutes: 5\nmints: 5\n", "mints is not known"),
        ("task.md", "minutes: 5", "minutes: soon", "minutes must be a number above 0"),
        ("task.md", "points: 3", "points: 4", "promises 4 points and the criteria add up to 3"),
        ("task.md", "kind: manifest", "kind: poem", "'poem' is none of manifest, commands, prediction"),
        ("task.md", "title: Settings", "title: [Settings", "is no YAML"),
        ("task.md", "name: settings", "nmae: settings", "task.md:1: {{ name }} is not among the parameters"),
        ("task.md", "range: [2, 9]", "range: [9, 2]", "the default must be one of the choices"),
        ("checks.py", "points=1", "points=0", "points must be more than 0"),
        ("checks.py", '    """Colours matter."""\n', "", "docstring"),
        ("checks.py", '"size", points=2', '"colour", points=2', "two checks are named colour"),
        ("checks.py", "import Review", "import Reviewer, Review", "cannot be run: ImportError"),
        ("checks.py", "from __future__", "from __future", "cannot be run"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(folder: Path, file: str, old: str, new: str, said: str) -> None:
    spoil(folder, file, old, new)
    with pytest.raises(BadExercise) as bad:
        load("topic/settings")
    assert said in str(bad.value)
    assert "topic/settings" in str(bad.value)


@pytest.mark.parametrize("file", ["starter.yaml", "solution.yaml", "hints.md", "checks.py"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(BadExercise, match=f"{file} is missing"):
        load("topic/settings")


def test_exercises_of_other_kinds_can_be_written(folder: Path) -> None:
    spoil(folder, "task.md", "kind: manifest", "kind: commands\nwanted: hidden")
    for name in ("starter", "solution"):
        (folder / f"{name}.yaml").rename(folder / f"{name}.txt")
    exercise = load("topic/settings")
    assert (exercise.kind, exercise.shows_wanted) == (Kind.COMMANDS, False)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("kind: manifest\nanswer: commands", "`answer` is only for the kind troubleshoot"),
        ("kind: troubleshoot\nanswer: prediction", "is manifest or commands"),
        ("kind: troubleshoot\nanswer: poem", "the answer 'poem' is none of"),
        ("kind: prediction", "predictions have `questions`"),
        ("kind: manifest\nquestions: {a: {answers: word, points: 3, leads: Look.}}", "and only they"),
        ("kind: prediction\nquestions: {a: {answers: word, points: 3, leads: Look.}}", "experiment.py is missing"),
        ("kind: prediction\nquestions: {a: {answers: word, points: 3}}", "this one has 'answers', 'points'"),
        ("kind: manifest\ndifficulty: unknown", "the difficulty 'unknown' is none of easy, medium, hard"),
    ],
)
def test_what_a_kind_does_not_have_is_said(folder: Path, new: str, said: str) -> None:
    task = (folder / "task.md").read_text(encoding="utf-8").replace("difficulty: easy\n", "")
    (folder / "task.md").write_text(task.replace("kind: manifest", new), encoding="utf-8")
    with pytest.raises(BadExercise, match=re.escape(said)):
        load("topic/settings")


def test_code_of_an_exercise_defines_its_function(folder: Path) -> None:
    (folder / "setup.py").write_text("prepared = 1\n", encoding="utf-8")
    with pytest.raises(BadExercise, match=re.escape("setup.py defines no function prepare")):
        load("topic/settings")


def test_troubleshooting_leads_and_takes_both_forms(folder: Path) -> None:
    spoil(folder, "task.md", "kind: manifest", "kind: troubleshoot")
    (folder / "accepted" / "typed.txt").write_text("kubectl get pods\n", encoding="utf-8")
    exercise = load("topic/settings")
    assert (exercise.form, exercise.shows_wanted, exercise.header) == (Form.MANIFEST, False, "%%manifest settings.yaml")
    assert stray_files(folder, exercise) == []


def test_stray_files_are_found(folder: Path) -> None:
    for stray in ("notes.txt", "mutants/deep/x.yaml", "accepted/x.yml", "other/y.yaml"):
        path = folder / stray
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = stray_files(folder, load("topic/settings"))
    assert found == ["accepted/x.yml", "mutants/deep/x.yaml", "notes.txt", "other/y.yaml"]
