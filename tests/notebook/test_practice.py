"""The magics about exercises: hints, progress, beginning one and beginning it anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from autograder.checks import Outcome, Result, Role, Status, Verdict
from autograder.exercises import load
from autograder.notebook.home import Home
from autograder.notebook.magics import CourseMagics
from autograder.notebook.practice import PracticeMagics, lessons
from autograder.notebook.record import Done, Record
from autograder.notebook.server import StudentCluster

POD = "pods/first-pod"


@pytest.fixture
def practice(home: Home) -> PracticeMagics:
    return PracticeMagics(InteractiveShell(), home, StudentCluster(home))


def verdict(earned: float) -> Verdict:
    outcome = Outcome.PASSED if earned == 4 else Outcome.FAILED
    runs = Result("runs", Role.CRITERION, outcome, earned, 4, "so it is", why="A Pod that is stored is only a wish.")
    return Verdict(POD, Status.GRADED, (runs,), 4)


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_who_has_earned_more_than_an_exercise_is_worth_now_is_done_with_it() -> None:
    assert Done(earned=5, possible=4, checks=1).is_full


def test_hints_come_one_after_the_other_and_stay(practice: PracticeMagics, capsys: pytest.CaptureFixture[str]) -> None:
    hints = [" ".join(hint.split()) for hint in load(POD).hints]
    for count in (1, 2, 3, 3):
        practice.hint(POD)
        said = shown(capsys)
        assert [hint for hint in hints if hint in said] == hints[:count]
        assert f"Hint {count} of 3" in said


def test_the_first_hint_is_what_the_last_check_lost(
    practice: PracticeMagics, capsys: pytest.CaptureFixture[str]
) -> None:
    practice.record.checked(POD, verdict(1))
    practice.show_hint(POD)
    assert shown(capsys).startswith("Your last check lost 'runs'. A Pod that is stored is only a wish.\nHint 1 of 3: ")


def test_who_is_done_needs_no_hint(practice: PracticeMagics, capsys: pytest.CaptureFixture[str]) -> None:
    practice.record.checked(POD, verdict(4))
    practice.hint(POD)
    assert shown(capsys) == "Your first Pod is done.\n"


def test_progress_has_every_exercise_its_points_and_what_comes_next(
    practice: PracticeMagics, capsys: pytest.CaptureFixture[str]
) -> None:
    practice.progress("")
    before = shown(capsys)
    names = [exercise.id for _, exercises in lessons() for exercise in exercises]
    assert all(f"· {name} " in before for name in names)
    practice.record.checked(POD, verdict(4))
    practice.progress("")
    after = shown(capsys)
    assert f"✓ {POD}" in after
    assert "4 of 4 points" in after
    assert "4 of " in after.splitlines()[-2]
    assert POD not in after.splitlines()[-1]


def test_the_best_points_count(home: Home) -> None:
    for points in (1, 3, 2):
        Record.read(home.progress).checked(POD, verdict(points))
    done = Record.read(home.progress).of(POD)
    assert (done.earned, done.checks, done.is_full) == (3, 3, False)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"exercises": {"a/b": {"new": 1}}}', '{"exercises": 3}'])
def test_a_record_that_cannot_be_read_is_an_empty_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "progress.json"
    path.write_text(content, encoding="utf-8")
    assert Record.read(path).exercises == {}


def test_reset_forgets_answer_and_record_and_gives_back_the_starter(
    practice: PracticeMagics, home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(practice._shell, "set_next_input", given.append)
    home.work.mkdir(parents=True)
    (home.work / "first-pod.yaml").write_text("kind: Pod", encoding="utf-8")
    practice.record.checked(POD, verdict(1))
    practice.reset(POD)
    assert not (home.work / "first-pod.yaml").exists()
    assert practice.record.exercises == {}
    assert given == [f"%%manifest first-pod.yaml\n{load(POD).starter}".rstrip("\n")]


def test_without_an_exercise_reset_is_that_of_ipython(practice: PracticeMagics) -> None:
    practice._shell.user_ns["kept"] = 1
    practice.reset("-f")
    assert "kept" not in practice._shell.user_ns


@pytest.mark.parametrize("line", ["", "start", "stop x", "start a b"])
def test_how_exercise_is_used(practice: PracticeMagics, capsys: pytest.CaptureFixture[str], line: str) -> None:
    practice.exercise(line)
    assert shown(capsys).startswith("%exercise start TOPIC/NAME")


def test_an_exercise_that_there_is_not_is_said_to_be_none(
    practice: PracticeMagics, capsys: pytest.CaptureFixture[str]
) -> None:
    for magic in (practice.hint, practice.reset):
        magic("pods/nothing")
    practice.exercise("start pods/nothing")
    assert capsys.readouterr().err.count("there is no exercise 'pods/nothing'") == 3


def test_start_gives_the_student_what_the_exercise_sets_up(
    shared_magics: CourseMagics, shared_home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    practice = PracticeMagics(InteractiveShell(), shared_home, shared_magics.own_cluster)
    practice.exercise("start deployments/stuck-rollout")
    assert "A new cluster is up, as deployments/stuck-rollout begins" in shown(capsys)
    shared_magics.kubectl("get pods --no-headers")
    assert shown(capsys).count("Running") == 2


def test_check_keeps_the_record_and_tells_the_story(magics: CourseMagics, home: Home) -> None:
    magics.manifest("first-pod.yaml", load(POD).solution)
    assert magics.check(POD) == 4
    assert Record.read(home.progress).of(POD).is_full
    magics.check("pods/pending-pod")
    assert "pods/pending-pod" not in Record.read(home.progress).exercises
