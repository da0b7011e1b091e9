"""Answers that are commands: the real kubectl runs them, on a cluster of the answer's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.checks import CommandRun, Outcome, Status, Verdict, Where
from autograder.clusters import Cluster, kubectl
from autograder.clusters.embedded import EmbeddedCluster
from autograder.exercises import Answer, Bounds, Runner, allowed, load
from autograder.exercises.command_lines import read
from autograder.exercises.terminal import OUTPUT, Terminal

ROLL_OUT = "deployments/roll-out"

Type = Callable[[str], list[CommandRun]]


@pytest.fixture(scope="module")
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def cluster(warm: Cluster) -> EmbeddedCluster:
    fork = warm.fork()
    assert isinstance(fork, EmbeddedCluster)
    return fork


@pytest.fixture
def type_in(terminal: Terminal, cluster: EmbeddedCluster) -> Type:
    """Run command lines in a cluster and return what became of them."""

    def run(text: str, pods: int = 10) -> list[CommandRun]:
        lines, problems = read(text, "answer.txt")
        assert problems == []
        runs = terminal.run(
            cluster, lines, {"given.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: given}\n"},
            namespace="default", source="answer.txt", pods=pods, seconds=60,
        )  # fmt: skip
        return list(runs)

    return run


def judged(runner: Runner, text: str, exercise: str = ROLL_OUT) -> Verdict:
    loaded = load(exercise)
    return runner.judge(loaded, loaded.answer(text))


def test_kubectl_changes_the_cluster_and_says_so(type_in: Type, cluster: EmbeddedCluster) -> None:
    (run,) = type_in("\nkubectl create configmap colours --from-literal=sky=blue")
    assert (run.verb, run.code, run.out, run.where) == (
        "create", 0, "configmap/colours created\n", Where("answer.txt", 2, 1),
    )  # fmt: skip
    assert cluster.get("ConfigMap", "colours")["data"] == {"sky": "blue"}


def test_lines_share_files_and_commands_pass_on_what_they_print(type_in: Type, cluster: EmbeddedCluster) -> None:
    runs = type_in(
        "kubectl create configmap a --from-literal=x=1 --dry-run=client -o yaml > a.yaml\n"
        "kubectl apply -f a.yaml\n"
        "kubectl get configmap a -o json | kubectl apply -f -\n"
        "kubectl apply -f - <<EOF\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\nEOF\n"
        "kubectl apply -f given.yaml\n"
    )
    assert [run.code for run in runs] == [0] * 6
    assert {obj["metadata"]["name"] for obj in cluster.list("ConfigMap")} >= {"a", "b", "given"}
    assert [obj["metadata"]["name"] for obj in runs[0].objects] == ["a"]


def test_time_passes_between_lines_as_if_somebody_typed(type_in: Type) -> None:
    runs = type_in("kubectl run web --image=nginx:1.27\nkubectl get pod web -o jsonpath='{.status.phase}'")
    assert runs[1].out == "Running"


def test_a_failing_command_is_told_and_the_next_one_runs(type_in: Type) -> None:
    runs = type_in("kubectl scale deployment nothing --replicas=3\nkubectl get nodes -o name")
    assert [run.code for run in runs] == [1, 0]
    assert 'deployments.apps "nothing" not found' in runs[0].err


def test_more_replicas_than_an_answer_may_have_are_refused(type_in: Type) -> None:
    (created, scaled) = type_in("kubectl create deployment web --image=nginx\nkubectl scale deploy web --replicas=11")
    assert (created.code, scaled.code) == (0, 1)
    assert "at most 10 are run here" in scaled.err


def test_kubectl_sees_nothing_of_the_user(type_in: Type, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("KUBECONFIG", "/nonexistent/config")
    monkeypatch.setenv("KUBECTL_EXTERNAL_DIFF", "false")
    assert type_in("kubectl get nodes -o name")[0].code == 0
    seen = kubectl.environment(Path("/x/kubeconfig"), Path("/x"))
    assert seen.keys() - set(kubectl._PASSED_ON) == {"HOME", "USERPROFILE", "TZ", "KUBECONFIG", "GOGC", "GOMEMLIMIT"}


@pytest.mark.parametrize("verb", sorted(allowed.FLAGS))
def test_kubectl_says_the_same_of_every_allowed_command_though_it_starts_lean(verb: str, tmp_path: Path) -> None:
    said = {
        kubectl.run(
            [verb, "--help"], kubeconfig=tmp_path / "none", home=tmp_path, folder=tmp_path, timeout=120, most=100_000,
            lean=lean,
        )
        for lean in (False, True)
    }  # fmt: skip
    assert len(said) == 1


def test_a_program_of_the_user_is_no_plugin_of_kubectl(
    type_in: Type, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plugin = tmp_path / "kubectl-create-party"
    plugin.write_text("#!/bin/sh\necho it was run\n")
    plugin.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (run,) = type_in("kubectl create party")
    assert "it was run" not in run.out


@pytest.mark.needs("diff")
def test_kubectl_finds_the_program_that_compares(type_in: Type) -> None:
    *_, compared = type_in(
        "kubectl create configmap a --from-literal=x=1\n"
        "kubectl create configmap a --from-literal=x=2 --dry-run=client -o yaml > a.yaml\n"
        "kubectl diff -f a.yaml"
    )
    assert '-  x: "1"\n+  x: "2"' in compared.out


def test_what_is_printed_is_bounded(type_in: Type) -> None:
    (run,) = type_in(f"kubectl get nodes -o jsonpath='{'x' * 10}{{range .items[*]}}{'y' * 20_000}{{end}}'")
    assert len(run.out) <= OUTPUT + 100


def test_a_terminal_belongs_to_the_process_that_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    assert terminal.usable
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert not terminal.usable


def test_commands_that_do_what_is_asked_earn_everything(runner: Runner) -> None:
    assert judged(runner, load(ROLL_OUT).solution).is_full


def test_what_cannot_be_run_is_unreadable_with_its_place(runner: Runner) -> None:
    verdict = judged(runner, "kubectl get pods\nkubectl edit deployment shop\n")
    first = verdict.criteria[0]
    assert (verdict.status, verdict.earned, first.name) == (Status.UNREADABLE, 0, "readable")
    assert (first.where.line if first.where else 0) == 2
    assert "opens an editor" in first.message


def test_if_every_command_fails_nothing_is_looked_at(runner: Runner) -> None:
    verdict = judged(runner, "kubectl scale deployment shoop --replicas=4\n")
    assert [result.name for result in verdict.criteria][:2] == ["ran", "exists"]
    assert "not found" in verdict.criteria[0].message
    assert {result.outcome for result in verdict.criteria[1:]} == {Outcome.BLOCKED}


def test_comments_alone_are_no_answer(runner: Runner) -> None:
    assert judged(runner, "# One kubectl command a line.\n\n").status is Status.NOT_SUBMITTED


def test_commands_may_read_the_other_files_of_the_answer(runner: Runner) -> None:
    exercise = load(ROLL_OUT)
    manifest = exercise.accepted["applied.txt"].partition("<<EOF\n")[2].removesuffix("EOF\n")
    answer = Answer({"answer.txt": "kubectl apply -f shop.yaml", "shop.yaml": manifest})
    assert runner.judge(exercise, answer).is_full


def test_two_judgements_are_equal_to_the_byte(runner: Runner, warm: Cluster) -> None:
    exercise = load(ROLL_OUT)
    answer = exercise.answer("kubectl scale deployment shop --replicas=4\nkubectl set image deploy/shop x=y\n")
    first, second = (json.dumps(one.judge(exercise, answer).to_json()) for one in (runner, Runner(warm)))
    assert first == second


def test_a_command_that_waits_for_ever_is_stopped_and_the_next_one_runs(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.exercises.terminal.COMMAND_SECONDS", 1.0)
    verdict = judged(runner, "kubectl wait deploy/shop --for=condition=Never --timeout=1h\n" + load(ROLL_OUT).solution)
    assert "kubectl was stopped after" in verdict.criteria[0].message
    assert verdict.is_full


@pytest.mark.parametrize(("is_waiting", "code"), [(True, kubectl.STOPPED), (False, 0)])
def test_who_only_waits_for_a_busy_machine_is_not_stopped(is_waiting: bool, code: int, tmp_path: Path) -> None:
    ran = kubectl.run(
        ["version", "--client"], kubeconfig=tmp_path / "none", home=tmp_path, folder=tmp_path, most=10_000,
        timeout=0, longest=600, is_waiting=lambda: is_waiting,
    )  # fmt: skip
    assert ran.code == code


def test_all_commands_together_have_a_limit(runner: Runner) -> None:
    exercise = replace(load(ROLL_OUT), bounds=Bounds(seconds=1))
    text = "kubectl wait deploy/shop --for=condition=Never --timeout=1h\n" * 3
    assert runner.judge(exercise, exercise.answer(text)).status is Status.TIMED_OUT
    assert judged(runner, exercise.solution).is_full


def test_a_program_that_never_ends_is_stopped(runner: Runner) -> None:
    verdict = judged(runner, "kubectl exec deploy/shop -- sh -c 'while true; do :; done'\n")
    assert (verdict.criteria[0].name, verdict.earned) == ("ran", 0)


@pytest.mark.parametrize(
    ("text", "earned"),
    [("kubectl rollout undo deployment/api", 6), ("kubectl get pods", 0), ("kubectl delete pods --all", 0)],
)
def test_a_broken_state_is_repaired_by_commands(runner: Runner, text: str, earned: float) -> None:
    assert judged(runner, text, "deployments/stuck-rollout").earned == earned


def test_a_broken_state_can_also_be_repaired_by_a_manifest(runner: Runner) -> None:
    exercise = load("deployments/stuck-rollout")
    assert runner.judge(exercise, Answer({"api.yaml": exercise.accepted["applied.yaml"]})).is_full


def test_feedback_for_troubleshooting_does_not_say_what_was_wanted(runner: Runner) -> None:
    verdict = judged(runner, "kubectl rollout restart deployment/api", "deployments/stuck-rollout")
    assert all(result.wanted is None for result in verdict.criteria)
    assert "nginx:1.27" not in " ".join(result.message for result in verdict.criteria)
