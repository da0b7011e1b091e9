"""What a user writes after --cluster."""

from __future__ import annotations

import pytest

from autograder.clusters import Capability, ClusterError, open_cluster


def test_embedded_is_the_default_and_can_do_what_only_it_can() -> None:
    cluster = open_cluster()
    assert cluster.name == "embedded"
    assert {Capability.FORK, Capability.CLOCK, Capability.COMPONENTS, Capability.POWER} <= cluster.capabilities


def test_an_opened_cluster_is_ready_for_pods() -> None:
    cluster = open_cluster("embedded")
    assert [account["metadata"]["name"] for account in cluster.list("ServiceAccount")] == ["default"]


def test_the_seed_decides_what_is_drawn() -> None:
    def name_of_a_pod(seed: int) -> str:
        cluster = open_cluster(seed=seed)
        pod = {"metadata": {"generateName": "x-"}, "spec": {"containers": [{"name": "x", "image": "nginx"}]}}
        return cluster.create({"apiVersion": "v1", "kind": "Pod", **pod})["metadata"]["name"]

    assert name_of_a_pod(0) == name_of_a_pod(0) != name_of_a_pod(1)


@pytest.mark.parametrize(
    "spec", ["", "minikube", "embedded:3", "kubeconfig", "kubeconfig:", "Embedded", "kind\n", "kind:", "local:3"]
)
def test_anything_else_is_told_what_may_be_written(spec: str) -> None:
    with pytest.raises(ClusterError, match="embedded, local, kind, kind:NAME or kubeconfig:PATH"):
        open_cluster(spec)


@pytest.mark.parametrize("spec", ["kubeconfig:nowhere.yaml", "kubeconfig:nowhere.yaml#other"])
def test_a_kubeconfig_that_is_not_there_is_named(spec: str) -> None:
    with pytest.raises(ClusterError, match=r"nowhere\.yaml"):
        open_cluster(spec)
