"""Predictions are compared with what a cluster really does, and with nothing that is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from autograder.checks import Outcome, Status, Trial
from autograder.exercises import Exercise, Runner, load
from autograder.exercises.questions import BadQuestion, Question, starter

RIGHT = "old: Running\ncreated: 3\nphase: Pending\nevent: no\n"
GOOD = {"answers": ["Running", "Pending"], "points": 1, "leads": "Look."}


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    return load("scheduler/no-scheduler")


def outcomes(runner: Runner, exercise: Exercise, text: str) -> dict[str, Outcome]:
    verdict = runner.judge(exercise, exercise.answer(text))
    return {result.name: result.outcome for result in verdict.criteria}


def test_what_the_cluster_does_too_earns_its_points(runner: Runner, exercise: Exercise) -> None:
    verdict = runner.judge(exercise, exercise.answer(RIGHT))
    assert (verdict.is_full, verdict.earned) == (True, 5)


@pytest.mark.parametrize(
    "text",
    ["{old: running, created: 3, phase: PENDING, event: false}", RIGHT.replace("no", '"no"').replace("3", '"3"'),
     RIGHT.replace("\n", "   # so\n"), "event: No\nphase: Pending\ncreated: 3\nold: Running"],
)  # fmt: skip
def test_how_it_is_written_does_not_matter(runner: Runner, exercise: Exercise, text: str) -> None:
    assert runner.judge(exercise, exercise.answer(text)).is_full


def test_a_wrong_prediction_is_led_and_not_told(runner: Runner, exercise: Exercise) -> None:
    verdict = runner.judge(exercise, exercise.answer(RIGHT.replace("phase: Pending", "phase: Failed")))
    (lost,) = [result for result in verdict.criteria if result.outcome is Outcome.FAILED]
    assert (lost.name, lost.wanted, lost.found) == ("phase", None, "Failed")
    assert "spec.nodeName" in lost.why
    assert "Pending" not in lost.message
    assert lost.where is not None and lost.where.line == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [("", "no prediction yet; answer Running, Pending, Failed or Succeeded"),
     ("pendign", "'pendign' is no answer here"), ("pendign", "did you mean Pending?")],
)  # fmt: skip
def test_what_is_no_answer_is_told_what_there_is(runner: Runner, exercise: Exercise, answer: str, said: str) -> None:
    verdict = runner.judge(exercise, exercise.answer(RIGHT.replace("phase: Pending", f"phase: {answer}")))
    assert any(said in result.message for result in verdict.criteria)


def test_the_starter_asks_every_question_and_is_no_answer(runner: Runner, exercise: Exercise) -> None:
    assert starter(exercise.questions).splitlines()[1] == "created:   # a whole number"
    assert runner.judge(exercise, exercise.answer(exercise.starter)).status is Status.NOT_SUBMITTED


@pytest.mark.parametrize(
    ("text", "said"),
    [("phaze: Pending", "the questions are old, created, phase, event"), ("phase: [Pending]", "one word or number"),
     ("phase: {a: b}", "one word or number")],
)  # fmt: skip
def test_what_was_not_asked_is_unreadable(runner: Runner, exercise: Exercise, text: str, said: str) -> None:
    verdict = runner.judge(exercise, exercise.answer(f"old: Running\n{text}\n"))
    assert verdict.status is Status.UNREADABLE
    assert said in verdict.criteria[0].message


def test_the_cluster_decides_and_not_the_solution(runner: Runner, exercise: Exercise) -> None:
    """With another experiment the very same answer is wrong."""

    def nothing_stopped(trial: Trial) -> Mapping[str, Any]:
        owner = trial.scale(trial.object("ReplicaSet", "shop"), 3)
        trial.after(60)
        phase = trial.pods(owner)[0].field("status.phase").value
        return {"old": "Running", "created": 3, "phase": phase, "event": False}

    other = replace(exercise, id="scheduler/other", experiment=nothing_stopped)
    assert outcomes(runner, other, RIGHT)["phase"] is Outcome.FAILED


@pytest.mark.parametrize("found", [{}, {"phase": "Sleeping"}])
def test_an_experiment_that_answers_nothing_is_nobodys_zero(
    runner: Runner, exercise: Exercise, found: Mapping[str, Any]
) -> None:
    broken = replace(exercise, id=f"scheduler/{len(found)}", experiment=lambda trial: found)
    verdict = runner.judge(broken, exercise.answer(RIGHT))
    assert verdict.status is Status.COULD_NOT_BE_JUDGED


@pytest.mark.parametrize(
    ("declared", "said"),
    [("Pending", "has the fields answers, leads, points"), ({**GOOD, "more": 1}, "has the fields"),
     ({**GOOD, "answers": ["one"]}, "at least two"), ({**GOOD, "answers": "anything"}, "`number`, or `word`"),
     ({**GOOD, "points": 0}, "above 0"), ({**GOOD, "points": True}, "above 0"), ({**GOOD, "leads": " "}, "`leads`"),
     ({**GOOD, "leads": "{{ name }}"}, "without parameters")],
)  # fmt: skip
def test_a_question_is_declared_as_a_whole(declared: Any, said: str) -> None:
    with pytest.raises(BadQuestion, match=said):
        Question.parse("phase", declared)


@pytest.mark.parametrize(
    ("answers", "allowed", "others"),
    [(["yes", "no"], ["yes", "No"], {"yes": ["no"]}), ("number", ["3", "0"], {"3": ["4", "2"], "0": ["1"]}),
     ("word", ["Unschedulable"], {"a": ["ax"]})],
)  # fmt: skip
def test_every_question_knows_its_wrong_answers(answers: Any, allowed: list[str], others: dict[str, list[str]]) -> None:
    question = Question.parse("q", {**GOOD, "answers": answers})
    assert all(question.allows(answer) for answer in allowed)
    assert not question.allows("two words") and not question.allows("")
    assert {answer: list(question.others(answer)) for answer in others} == others
