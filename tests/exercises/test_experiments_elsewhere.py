"""Experiments on clusters that cannot be copied: done for real, and never held against a student."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from serving import serving

from autograder.checks import Status
from autograder.cli import main
from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.exercises import Runner, load


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving(tmp_path_factory.mktemp("served")) as path:
        yield path


@pytest.fixture
def runner(config: Path) -> Iterator[Runner]:
    cluster = KubeconfigCluster.open(config, pace=QUICK)
    yield Runner(cluster)
    cluster.close()


def test_an_experiment_that_needs_the_api_alone_is_done_there(runner: Runner) -> None:
    exercise = load("etcd/who-is-late")
    verdict = runner.judge(exercise, exercise.answer(exercise.solution))
    assert verdict.is_full, verdict.to_json()


def test_one_that_stops_components_is_not_run_there(runner: Runner) -> None:
    exercise = load("scheduler/no-scheduler")
    verdict = runner.judge(exercise, exercise.answer(exercise.solution))
    assert verdict.status is Status.NOT_RUN_THERE


def test_one_that_goes_otherwise_than_it_should_costs_nobody_anything(runner: Runner) -> None:
    exercise = load("etcd/who-is-late")
    assert exercise.experiment is not None
    right = exercise.experiment
    late = replace(exercise, experiment=lambda trial: dict.fromkeys(right(trial), "late"))
    verdict = runner.judge(late, late.answer(late.solution))
    assert verdict.status is Status.COULD_NOT_BE_JUDGED
    assert "did not go here as it should" in str(verdict.to_json())


def test_an_audit_there_is_referred_to_parity(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = f"kubeconfig:{config}"
    assert main(["audit", "pods/first-pod", "--workers", "1", "--cluster", spec]) == 2
    assert f"autograder parity --cluster {spec}" in capsys.readouterr().err
