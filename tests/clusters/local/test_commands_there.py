"""Answers that are commands on a real control plane: right ones earn everything, and all of it is put back."""

from __future__ import annotations

import pytest

from autograder.clusters.local.cluster import LocalCluster
from autograder.exercises import Runner, load

pytestmark = [pytest.mark.needs("kube-apiserver"), pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "name", ["pods/generate", "cluster/no-node-left", "cluster/first-commands", "etcd/read-the-store"]
)
def test_the_solution_earns_everything(name: str, local: LocalCluster) -> None:
    exercise = load(name)
    verdict = Runner(local).judge(exercise, exercise.answer(exercise.solution))
    assert verdict.is_full, verdict.to_json()


def test_afterwards_the_cluster_is_as_it_was(local: LocalCluster) -> None:
    before = local.whole()
    pods = {pod["metadata"]["name"] for pod in before.list("Pod", "")}
    before.close()
    exercise = load("scheduler/no-place")
    Runner(local).judge(exercise, exercise.answer("kubectl label nodes --all disk=ssd\nkubectl cordon worker-1\n"))
    place = local.whole()
    assert {pod["metadata"]["name"] for pod in place.list("Pod", "")} == pods
    for node in place.list("Node"):
        assert "disk" not in node["metadata"]["labels"]
        assert not node["spec"].get("unschedulable")
    place.close()
