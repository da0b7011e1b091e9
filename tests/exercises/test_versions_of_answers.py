"""What a student learns holds on many versions of Kubernetes: the right answers of the course are taken by each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from autograder.exercises import exercise_ids, exercises_root, load
from autograder.exercises.exercise import Exercise, Form
from autograder.manifests import parse
from autograder.manifests.versions import judge_versions, ranges

KNOWN = yaml.safe_load(Path(exercises_root().parent, "versions.yaml").read_text())


def right_answers(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """The manifests that earn full marks, and what stands in the cluster before, by name."""
    if exercise.setup:
        yield "setup", exercise.setup
    if exercise.form is Form.MANIFEST:
        yield "solution", exercise.solution
        yield from exercise.accepted.items()


def refusals(exercise: Exercise) -> dict[str, str]:
    """The answers that some version does not take: the versions."""
    found = {}
    for name, text in right_answers(exercise):
        manifest = parse(text, source=f"{exercise.id}/{name}")
        assert manifest.documents
        verdicts = [judge_versions(document) for document in manifest.documents]
        assert all(verdict.judged for verdict in verdicts), "a kind that no version has"
        refused = {version for verdict in verdicts for version in verdict.refused}
        if refused:
            found[name] = ranges(sorted(refused))
    return found


@pytest.mark.parametrize("exercise", exercise_ids())
def test_right_answers_are_taken_by_every_version(exercise: str) -> None:
    expected = {entry["answer"]: entry["versions"] for entry in KNOWN if entry["exercise"] == exercise}
    assert refusals(load(exercise)) == expected


def test_what_is_excepted_has_a_reason() -> None:
    assert all(entry.keys() == {"exercise", "answer", "versions", "reason"} for entry in KNOWN)
    assert all(entry["exercise"] in exercise_ids() and entry["reason"].strip() for entry in KNOWN)
