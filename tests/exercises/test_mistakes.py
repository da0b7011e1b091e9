"""A wrong answer teaches: for the likely mistakes of each lesson, the feedback names the mistake.

The lessons' authors list them in ``course/lessons/NN-topic.mistakes.yaml``; ``course/exercises/README.md`` has the
format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import autograder
from autograder.checks.rendering import as_text
from autograder.exercises import Exercise, Runner, load

COURSE = Path(autograder.__file__).parents[1] / "course"
FILES = sorted((COURSE / "lessons").glob("*.mistakes.yaml"))
FIELDS = {"mistake", "exercise", "change", "answer", "says"}
LIKELY = 10


def listed(file: Path) -> list[dict[str, Any]]:
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(entries, list)
    return entries


def mistakes() -> Iterator[Any]:
    for file in FILES:
        for number, entry in enumerate(listed(file), 1):
            yield pytest.param(entry, id=f"{file.name.partition('.')[0]}-{number}: {entry['mistake']}")


def test_every_lesson_has_its_mistakes() -> None:
    lessons = {path.stem for path in (COURSE / "lessons").glob("*.md")}
    assert {file.name.partition(".")[0] for file in FILES} == lessons


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_ten_most_likely_mistakes_of_a_lesson_are_listed(file: Path) -> None:
    entries = listed(file)
    assert len(entries) >= LIKELY
    assert len({entry["mistake"] for entry in entries}) == len(entries)
    assert (file.parent / f"{file.name.partition('.')[0]}.md").is_file()


@pytest.mark.parametrize("entry", list(mistakes()))
def test_the_feedback_names_the_mistake(runner: Runner, entry: dict[str, Any]) -> None:
    assert entry.keys() <= FIELDS
    exercise = load(entry["exercise"], COURSE / "exercises")
    verdict = runner.judge(exercise, exercise.answer(answer_of(exercise, entry)))
    said = feedback(as_text(verdict))
    assert not verdict.is_full
    for phrase in phrases(entry):
        assert feedback(phrase) in said
    right = feedback(as_text(runner.judge(exercise, exercise.answer(exercise.solution))))
    assert not all(feedback(phrase) in right for phrase in phrases(entry)), "the solution is told the same"


def answer_of(exercise: Exercise, entry: dict[str, Any]) -> str:
    """The wrong answer: the one that is given, or the solution with something replaced."""
    if "answer" in entry:
        return str(entry["answer"])
    text = exercise.solution
    for old, new in entry["change"].items():
        assert str(old) in text, f"the solution has no {old!r}"
        text = text.replace(str(old), str(new))
    return text


def phrases(entry: dict[str, Any]) -> list[str]:
    says = entry["says"]
    return [str(phrase) for phrase in says] if isinstance(says, list) else [str(says)]


def feedback(text: str) -> str:
    """Text without the line breaks of its layout."""
    return re.sub(r"\s+", " ", text).strip()
