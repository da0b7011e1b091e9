"""Answers as files: names, what is kept, and how problems are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.exercises import load
from autograder.manifests import Limits
from autograder.notebook import answers


@pytest.mark.parametrize("name", ["pod.yaml", "my-pod.yml", "Pod_2.json", "a.b.yaml", "1.yaml"])
def test_plain_names_are_taken(name: str) -> None:
    assert answers.plain_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["../pod.yaml", "/etc/pod.yaml", "a/b.yaml", "a\\b.yaml", "C:pod.yaml", ".yaml", "..yaml", ".hidden.yaml", "",
     "pod.py", "pod", "pod.yaml\n", "p\0d.yaml", "püd.yaml", "CON.yaml", "nul.json", "com1.yml", "x" * 120 + ".yaml",
     "-rf.yaml", "~.yaml"],
)  # fmt: skip
def test_all_other_names_are_refused(name: str) -> None:
    with pytest.raises(answers.BadName):
        answers.plain_name(name)


def test_an_answer_is_kept_as_it_was_written(tmp_path: Path) -> None:
    path = answers.keep(tmp_path / "work", "pod.yaml", "kind: Pod\n# ü")
    assert path.read_bytes() == "kind: Pod\n# ü\n".encode()


def test_an_answer_is_found_by_the_last_part_of_the_exercise(tmp_path: Path) -> None:
    for name in ("first-pod.yaml", "first-pod.json", "first-pod-2.yaml", "other.yaml"):
        answers.keep(tmp_path, name, name)
    found = answers.answer_to("pods/first-pod", tmp_path)
    assert found == {"first-pod.yaml": b"first-pod.yaml\n", "first-pod.json": b"first-pod.json\n"}


def test_there_may_be_no_answer(tmp_path: Path) -> None:
    assert answers.answer_to("pods/first-pod", tmp_path / "nowhere") == {}


def test_an_answer_is_read_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "first-pod.yaml").write_bytes(b"x" * (2 * Limits().size))
    assert len(answers.answer_to("pods/first-pod", tmp_path)["first-pod.yaml"]) == Limits().size + 1


@pytest.mark.parametrize(("text", "blank"), [("", True), ("# a\n\n  # b\n", True), ("a: 1", False), ("---\n", False)])
def test_comments_alone_are_no_answer(text: str, blank: bool) -> None:
    assert answers.is_blank(text) is blank


def test_a_starter_that_was_not_touched_is_known(tmp_path: Path) -> None:
    exercise = load("pods/pending-pod")
    assert not answers.is_untouched(exercise, tmp_path)
    answers.keep(tmp_path, "pending-pod.yaml", exercise.starter.strip())
    assert answers.is_untouched(exercise, tmp_path)
    answers.keep(tmp_path, "pending-pod.yaml", exercise.solution)
    assert not answers.is_untouched(exercise, tmp_path)


def test_a_problem_is_shown_with_its_line_and_a_mark_under_the_place() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  container: []\n"
    _, (first, *_) = answers.read("pod.yaml", text)
    said, line, mark = answers.explained(first, text)
    assert said.startswith("pod.yaml:5:3: spec.container: unknown field")
    assert line == "     5 |   container: []"
    assert mark.index("^") == line.index("container")


def test_a_line_that_cannot_be_shown_is_left_out() -> None:
    text = "a: \x07b\n"
    _, problems = answers.read("pod.yaml", text)
    assert all("\x07" not in line for problem in problems for line in answers.explained(problem, text))
