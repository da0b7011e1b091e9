"""Every exercise of the course proves itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import autograder
from autograder.clusters import Cluster, open_cluster
from autograder.exercises import Form, exercise_ids, load
from autograder.exercises.audit import Auditor

ROOT = Path(autograder.__file__).parents[1] / "course" / "exercises"


@pytest.fixture(scope="module")
def auditor(warm: Cluster) -> Auditor:
    return Auditor(warm, open_cluster("embedded", seed=1))


@pytest.mark.parametrize("exercise", exercise_ids(ROOT))
def test_the_audit_is_green(auditor: Auditor, exercise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_EXERCISES", str(ROOT))
    report = auditor.audit(load(exercise))
    assert report.findings == []
    assert report.rightful.judged >= 10
    assert report.wrongful.judged >= 8


@pytest.mark.parametrize("exercise", exercise_ids(ROOT))
def test_there_are_enough_answers_to_learn_from(exercise: str) -> None:
    loaded = load(exercise, ROOT)
    if loaded.form is Form.PREDICTION:  # others are made by rule
        assert (loaded.accepted, loaded.mutants) == ({}, {})
    else:
        assert len(loaded.accepted) >= 3
        assert len(loaded.mutants) >= 4


def test_the_table_in_the_readme_is_complete() -> None:
    """``python tools/list_exercises.py`` brings them together again."""
    spec = importlib.util.spec_from_file_location("list_exercises", ROOT.parents[1] / "tools" / "list_exercises.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.page() == (ROOT / "README.md").read_text(encoding="utf-8")
    assert sorted(one.id for one in tool.exercises()) == sorted(exercise_ids(ROOT))
