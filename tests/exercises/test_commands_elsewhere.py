"""Answers that are commands on a cluster of our own: the verdict of the embedded one; elsewhere they are not run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ours import Powers
from serving import serving

from autograder.checks import Outcome, Status
from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.clusters.owned import OwnedCluster, OwnedConnection
from autograder.exercises import Exercise, Runner, load
from autograder.exercises.parity import compare

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving(tmp_path_factory.mktemp("served")) as path:
        yield path


@pytest.fixture(scope="module")
def there(config: Path) -> Iterator[Runner]:
    cluster = OwnedCluster(OwnedConnection(config), QUICK, Powers(config))
    yield Runner(cluster)
    cluster.close()


def answered(exercise: Exercise, text: str, runner: Runner) -> dict[str, Outcome]:
    verdict = runner.judge(exercise, exercise.answer(text))
    return {result.name: result.outcome for result in verdict.criteria}


@pytest.mark.parametrize("name", ["pods/generate", "scheduler/no-place"])
def test_verdicts_are_those_of_the_embedded_cluster(name: str, runner: Runner, there: Runner) -> None:
    found = compare(load(name), runner, there, mutants=1)
    assert found.answers == 2
    assert found.compared
    assert not found.differences
    assert not found.not_run


def test_answers_that_are_manifests_are_compared_as_such(runner: Runner) -> None:
    exercise = load("recap/first-aid")
    found = compare(exercise, runner, runner, mutants=1)
    assert found.compared == 2 * len(exercise.checks)


def test_a_trial_adds_what_it_needs_and_takes_it_away(there: Runner) -> None:
    exercise = load("resourcequotas/generate")
    verdict = there.judge(exercise, exercise.answer(exercise.solution))
    assert verdict.is_full, verdict.to_json()


def test_the_next_answer_finds_nothing_of_the_one_before(there: Runner) -> None:
    exercise = load("pods/generate")
    assert there.judge(exercise, exercise.answer(exercise.solution)).is_full
    nothing = next(text for text in exercise.mutants.values() if "apply" not in text and "dry-run" in text)
    assert answered(exercise, nothing, there)["there"] is Outcome.FAILED


def test_more_replicas_than_are_run_are_refused(there: Runner) -> None:
    exercise = load("cluster/first-commands")
    verdict = there.judge(exercise, exercise.answer("kubectl create deployment web --image=nginx --replicas=5000\n"))
    assert f"at most {exercise.bounds.pods} are run here" in str(verdict.to_json())


def test_commands_in_containers_are_not_run_there(there: Runner) -> None:
    exercise = load("etcd/read-the-store")
    verdict = there.judge(exercise, exercise.answer(exercise.solution))
    assert verdict.status is Status.NOT_RUN_THERE
    assert "run commands in containers" in str(verdict.to_json())


def test_on_somebody_elses_cluster_they_are_not_run_and_it_says_why(config: Path) -> None:
    cluster = KubeconfigCluster.open(config, pace=QUICK)
    exercise = load("pods/generate")
    verdict = Runner(cluster).judge(exercise, exercise.answer(exercise.solution))
    cluster.close()
    assert verdict.status is Status.NOT_RUN_THERE
    assert "cannot be confined" in str(verdict.to_json())
