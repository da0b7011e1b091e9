"""Exercises whose answers are programs: judged by what their functions return, and only where that is allowed."""

from __future__ import annotations

from pathlib import Path

import own_plugin
import pytest

from autograder.checks import Outcome, Status
from autograder.cli import main
from autograder.clusters import Cluster
from autograder.exercises import Answer, Exercise, Runner, load, sandbox
from autograder.exercises.audit import Auditor

needs_walls = pytest.mark.needs("bwrap or unshare")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exercise:
    own_plugin.write(tmp_path)
    monkeypatch.setenv("AUTOGRADER_EXERCISES", str(tmp_path))
    return load(own_plugin.ID)


@pytest.fixture
def allowed(warm: Cluster) -> Runner:
    if trouble := sandbox.why_not():
        pytest.skip(trouble)
    return Runner(warm, allow_python=True)


def test_the_answer_is_a_file_of_python(plugin: Exercise) -> None:
    assert plugin.file == "own-plugin.py"
    assert plugin.header == "%%program own-plugin.py"


def test_it_is_off_unless_it_is_allowed(runner: Runner, plugin: Exercise) -> None:
    verdict = runner.judge(plugin, plugin.answer(plugin.solution))
    assert verdict.status is Status.COULD_NOT_BE_JUDGED
    assert "--allow-python" in verdict.criteria[0].message


def test_where_nobody_can_be_locked_in_nothing_is_run(
    warm: Cluster, plugin: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "why_not", lambda: "there are no walls here")
    monkeypatch.setattr(sandbox, "run", lambda *given: pytest.fail("it was run"))
    verdict = Runner(warm, allow_python=True).judge(plugin, plugin.answer(plugin.solution))
    assert verdict.status is Status.COULD_NOT_BE_JUDGED
    assert verdict.criteria[0].message == "there are no walls here"
    assert verdict.criteria[0].outcome is Outcome.COULD_NOT_BE_JUDGED


@needs_walls
def test_a_right_program_and_wrong_ones(allowed: Runner, plugin: Exercise) -> None:
    assert allowed.judge(plugin, plugin.answer(plugin.solution)).is_full
    assert allowed.judge(plugin, plugin.answer(plugin.starter)).earned == 0
    assert allowed.judge(plugin, Answer({"x.py": plugin.mutants["below-zero.py"]})).earned == 4


@needs_walls
def test_a_program_that_fails_points_at_its_line(allowed: Runner, plugin: Exercise) -> None:
    verdict = allowed.judge(plugin, plugin.answer("\n\ndef score(pod, node):\n    return pod['nothing']\n"))
    first = verdict.criteria[0]
    assert (first.outcome, first.message) == (Outcome.FAILED, "the program failed: KeyError: 'nothing'")
    assert str(first.where) == "own-plugin.py:4:1"
    assert verdict.status is Status.GRADED


@pytest.mark.parametrize(
    ("files", "says"),
    [({"a.py": "x = 1", "b.py": "y = 1"}, "second program"), ({"a.py": "#" + "x" * 70_000 + "\nx"}, "at most 65536")],
)
def test_what_is_not_one_short_program_is_unreadable(
    runner: Runner, plugin: Exercise, files: dict[str, str], says: str
) -> None:
    verdict = runner.judge(plugin, Answer(dict(files)))
    assert verdict.status is Status.UNREADABLE
    assert says in verdict.criteria[0].message


@needs_walls
def test_the_exercise_proves_itself(warm: Cluster, plugin: Exercise, allowed: Runner) -> None:
    report = Auditor(warm, warm).audit(plugin)
    assert report.findings == []
    assert report.wrongful.judged >= 8


@needs_walls
def test_on_the_command_line(
    plugin: Exercise, allowed: Runner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(plugin.solution)
    assert main(["check", plugin.id, str(path)]) == 2
    assert main(["check", plugin.id, str(path), "--allow-python"]) == 0
    assert "5 of 5 points" in capsys.readouterr().out
