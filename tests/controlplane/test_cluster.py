"""The cluster as a whole: the same input gives the same bytes, and a fork goes on as its parent would."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.cluster import COMPONENTS, Cluster


def deployment(name: str = "web", replicas: int = 3, image: str = "nginx:1.27") -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "nginx", "image": image}]},
            },
        },
    }


def contents(cluster: Cluster) -> str:
    """Everything that etcd holds, to the byte."""
    keys = list(cluster.store.keys())
    return json.dumps([(key, found.value) for key in keys if (found := cluster.store.get(key))])


def available(cluster: Cluster, name: str = "web") -> int:
    found = cluster.client().get(scheme.DEPLOYMENTS, "default", name)
    count: int = found.get("status", {}).get("availableReplicas", 0)
    return count


@pytest.fixture(scope="module")
def booted() -> Cluster:
    return Cluster()


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def roll_out(cluster: Cluster) -> None:
    """Bring a Deployment to life and into the middle of a rollout."""
    client = cluster.client()
    client.create(scheme.DEPLOYMENTS, "default", deployment())
    assert cluster.run_until(lambda: available(cluster) == 3, timeout=60)
    image = {"spec": {"template": {"spec": {"containers": [{"name": "nginx", "image": "nginx:1.28"}]}}}}
    client.patch(scheme.DEPLOYMENTS, "default", "web", image)


def test_a_deployment_becomes_available(cluster: Cluster) -> None:
    cluster.client().create(scheme.DEPLOYMENTS, "default", deployment())
    assert cluster.run_until(lambda: available(cluster) == 3, timeout=60)


@pytest.mark.parametrize("seconds", [0, 0.4, 1, 1.7, 2.5, 40])
def test_a_fork_in_the_middle_of_a_rollout_goes_on_to_the_same_bytes(cluster: Cluster, seconds: float) -> None:
    roll_out(cluster)
    cluster.advance(seconds)
    fork = cluster.fork()
    assert contents(fork) == contents(cluster)
    for one in (cluster, fork):
        one.advance(7)
        one.client().delete(scheme.PODS, "default", one.client().list(scheme.PODS, "default")[0][0]["metadata"]["name"])
        one.advance(600)
    assert contents(fork) == contents(cluster)
    assert available(cluster) == 3


def test_a_fork_never_changes_its_parent(cluster: Cluster) -> None:
    roll_out(cluster)
    before = contents(cluster)
    fork = cluster.fork()
    fork.client().delete(scheme.DEPLOYMENTS, "default", "web")
    fork.power_off("worker-1")
    fork.advance(900)
    assert contents(cluster) == before
    assert contents(fork) != before


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_names() -> None:
    clusters = [Cluster(seed=seed) for seed in (1, 1, 2)]
    for one in clusters:
        roll_out(one)
        one.advance(300)
    first, second, other = map(contents, clusters)
    assert first == second
    assert first != other


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_that_was_stopped_and_started_takes_up_its_work(cluster: Cluster, component: str) -> None:
    cluster.stop(component)
    cluster.client().create(scheme.DEPLOYMENTS, "default", deployment())
    cluster.advance(20)
    cluster.start(component)
    assert cluster.run_until(lambda: available(cluster) == 3, timeout=120)


def test_an_unknown_component_is_a_clear_error(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="no component is called kube-schedular; there are kube-controller-manager"):
        cluster.stop("kube-schedular")


def test_an_object_that_asks_for_two_billion_pods_does_not_stop_time(cluster: Cluster) -> None:
    cluster.client().create(scheme.DEPLOYMENTS, "default", deployment(replicas=2_000_000_000))
    cluster.settle()
    pods, _ = cluster.client().list(scheme.PODS, "default")
    assert 0 < len(pods) <= 1000


class Broken:
    """A component that fails whenever it has its turn."""

    name = "kube-controller-manager"

    def sync(self) -> bool:
        raise ZeroDivisionError("a bug")

    def fire(self, key: object) -> None:
        raise ZeroDivisionError("a bug in a timer")


def test_a_component_that_fails_in_every_round_keeps_none_of_the_others_from_working() -> None:
    cluster = Cluster()
    cluster._supervisor._running["kube-controller-manager"] = Broken()  # type: ignore[assignment]
    spec = {"serviceAccountName": "default", "containers": [{"name": "c", "image": "nginx:1.27"}]}
    cluster.client().create(
        scheme.PODS, "default", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    )
    before = cluster.clock.now
    with pytest.raises(ZeroDivisionError, match="a bug"):
        cluster.advance(30)
    assert cluster.clock.now == before + 30_000_000
    assert cluster.client().get(scheme.PODS, "default", "web")["status"]["phase"] == "Running"
