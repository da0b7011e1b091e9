"""Judging an answer: what is right, what is refused and where, what is nobody's fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.checks import Outcome, Status, Verdict
from autograder.clusters import Cluster
from autograder.exercises import Answer, Bounds, Exercise, Runner, judge


def of(text: str | bytes) -> Answer:
    return Answer({"answer.yaml": text})


def lost(verdict: Verdict) -> list[str]:
    return [result.name for result in verdict.criteria if result.outcome is Outcome.FAILED]


def test_a_right_answer_earns_everything(runner: Runner, exercise: Exercise) -> None:
    verdict = runner.judge(exercise, of(exercise.solution))
    assert (verdict.status, verdict.earned, verdict.possible, verdict.is_full) == (Status.GRADED, 3, 3, True)


def test_one_answer_can_be_judged_without_a_runner(warm: Cluster, exercise: Exercise) -> None:
    assert judge(exercise, of(exercise.solution), cluster=warm).is_full


def test_judging_leaves_no_trace(runner: Runner, exercise: Exercise) -> None:
    assert runner.judge(exercise, of(exercise.solution)).is_full
    assert lost(runner.judge(exercise, of(exercise.mutants["name.yaml"]))) == ["exists"]


def test_the_same_answer_gets_the_same_verdict(runner: Runner, exercise: Exercise) -> None:
    answer = of(exercise.mutants["red.yaml"])
    assert runner.judge(exercise, answer).to_json() == runner.judge(exercise, answer).to_json()


def test_a_wrong_value_is_found_in_the_students_file(runner: Runner, exercise: Exercise) -> None:
    verdict = runner.judge(exercise, of(exercise.solution.replace("blue", "red")))
    failed = next(result for result in verdict.criteria if result.name == "colour")
    assert (verdict.earned, failed.wanted, failed.found, str(failed.where)) == (2, "blue", "red", "answer.yaml:6:11")


def test_values_of_one_student_are_judged_by(runner: Runner, exercise: Exercise) -> None:
    drawn = exercise.with_values({"size": 8})
    assert runner.judge(drawn, of(drawn.solution)).is_full
    assert lost(runner.judge(drawn, of(exercise.solution))) == ["size"]


def test_several_files_are_one_answer(runner: Runner, exercise: Exercise) -> None:
    extra = "apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n"
    assert runner.judge(exercise, Answer({"a.yaml": extra, "b.yaml": exercise.solution})).is_full


@pytest.mark.parametrize("text", ["", "\n \n", "# nothing yet\n", b"", "---\n# nothing\n---\n"])
def test_nothing_is_not_submitted(runner: Runner, exercise: Exercise, text: str | bytes) -> None:
    verdict = runner.judge(exercise, of(text))
    assert (verdict.status, verdict.earned, verdict.possible) == (Status.NOT_SUBMITTED, 0, 3)


def test_no_file_is_not_submitted(runner: Runner, exercise: Exercise) -> None:
    assert runner.judge(exercise, Answer({})).status is Status.NOT_SUBMITTED


def test_a_refusal_is_quoted_at_the_line_that_caused_it(runner: Runner, exercise: Exercise) -> None:
    verdict = runner.judge(exercise, of(exercise.solution.replace("name: settings", "name: My_Settings")))
    refused = verdict.criteria[0]
    assert (refused.name, refused.outcome, verdict.status) == ("accepted", Outcome.FAILED, Status.GRADED)
    assert 'Invalid value: "My_Settings"' in refused.message
    assert refused.where is not None
    assert (str(refused.where), refused.where.field) == ("answer.yaml:4:9", "metadata.name")


def test_an_unknown_field_comes_with_the_one_that_was_meant(runner: Runner, exercise: Exercise) -> None:
    verdict = runner.judge(exercise, of(exercise.solution.replace("\ndata:", "\ndat:")))
    assert 'did you mean "data"' in verdict.criteria[0].message
    assert str(verdict.criteria[0].where) == "answer.yaml:5:1"


def test_an_unknown_kind_is_explained(runner: Runner, exercise: Exercise) -> None:
    verdict = runner.judge(exercise, of(exercise.solution.replace("kind: ConfigMap", "kind: Configmap")))
    assert lost(verdict) == ["accepted"]
    assert "ConfigMap" in verdict.criteria[0].message


def test_a_refused_object_harms_no_other(runner: Runner, exercise: Exercise) -> None:
    bad = "apiVersion: v1\nkind: Secret\nmetadata: {name: Bad_Name}\n---\n"
    verdict = runner.judge(exercise, of(bad + exercise.solution))
    assert (lost(verdict), verdict.earned, verdict.status) == (["accepted"], 3, Status.GRADED)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("kind: Namespace\nmetadata: {name: mine}", "Namespace mine belongs to the whole cluster"),
        ("kind: Node\nmetadata: {name: worker-9}", "Node worker-9 belongs to the whole cluster"),
        ("kind: Secret\nmetadata: {name: x, namespace: kube-system}", "kube-system is not part of this exercise"),
    ],
)
def test_answers_keep_to_their_namespace(runner: Runner, exercise: Exercise, document: str, said: str) -> None:
    verdict = runner.judge(exercise, of(f"apiVersion: v1\n{document}\n"))
    assert (lost(verdict), verdict.earned) == (["accepted"], 0)
    assert said in verdict.criteria[0].message
    assert verdict.criteria[0].where is not None


def test_an_exercise_may_ask_for_a_namespace(runner: Runner, exercise: Exercise) -> None:
    asks = replace(exercise, raw_namespaces=("mine",), raw_cluster_objects=("Namespace/mine",))
    namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: mine}\n"
    assert runner.judge(asks, of(exercise.solution + namespace)).is_full
    assert lost(runner.judge(asks, of(exercise.solution))) == ["accepted"]
    other = runner.judge(asks, of(exercise.solution + namespace.replace("mine", "Mine")))
    assert "this exercise asks for Namespace mine only" in other.criteria[0].message


def test_setup_is_there_before_the_answer(runner: Runner, exercise: Exercise) -> None:
    quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {configmaps: 0}}\n"
    tight = replace(exercise, texts={**exercise.texts, "setup.yaml": quota})
    verdict = runner.judge(tight, of(exercise.solution))
    assert "exceeded quota" in verdict.criteria[0].message


def test_surroundings_are_prepared_once_for_all_who_have_the_same(runner: Runner, exercise: Exercise) -> None:
    assert runner.prepared(exercise) is runner.prepared(exercise.with_values({"size": 7}))
    other = replace(exercise, raw_namespaces=("elsewhere",))
    assert runner.prepared(exercise) is not runner.prepared(other)
    assert runner.judge(other, of(other.solution)).is_full


def test_the_order_of_judging_makes_no_difference(warm: Cluster, exercise: Exercise) -> None:
    answers = [of(text) for text in (exercise.solution, *exercise.mutants.values())]
    one, other = Runner(warm), Runner(warm)
    forwards = [one.judge(exercise, answer).to_json() for answer in answers]
    backwards = [other.judge(exercise, answer).to_json() for answer in reversed(answers)]
    assert forwards == list(reversed(backwards))


def test_a_broken_setup_is_nobodys_zero(runner: Runner, exercise: Exercise) -> None:
    broken = replace(exercise, texts={**exercise.texts, "setup.yaml": "kind: Nothing\nmetadata: {name: x}\n"})
    verdict = runner.judge(broken, of(exercise.solution))
    assert verdict.status is Status.COULD_NOT_BE_JUDGED
    assert "could not be judged" in verdict.criteria[0].message


def test_a_judgement_has_a_limit(runner: Runner, exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = load_endless(exercise)
    verdict = runner.judge(endless, of(exercise.solution))
    assert (verdict.status, verdict.earned) == (Status.TIMED_OUT, 1)
    assert [result.name for result in verdict.criteria] == ["exists", "colour", "in time", "size"]


def load_endless(exercise: Exercise) -> Exercise:
    """The exercise with a last check that never ends."""

    def for_ever(review: object) -> None:
        while True:
            pass

    *others, last = exercise.checks
    return replace(exercise, checks=(*others, replace(last, judge=for_ever)), bounds=Bounds(seconds=0.5))
