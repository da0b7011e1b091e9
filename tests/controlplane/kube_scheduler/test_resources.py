"""What a pod asks for, in all."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.controlplane.kube_scheduler.node_tree import NodeTree
from autograder.controlplane.kube_scheduler.resources import DEFAULT_CPU, DEFAULT_MEMORY, Resources, pod_requests

Object = dict[str, Any]


def container(cpu: str = "", name: str = "c", **more: Any) -> Object:
    return {"name": name, "resources": {"requests": {"cpu": cpu}} if cpu else {}, **more}


def sidecar(cpu: str) -> Object:
    return container(cpu, restartPolicy="Always")


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [container("1"), container("500m")]}, 1500),
        ({"containers": [container("1")], "initContainers": [container("3"), container("2")]}, 3000),
        ({"containers": [container("1")], "initContainers": [sidecar("1"), container("500m")]}, 2000),
        ({"containers": [container("1")], "initContainers": [sidecar("1"), container("4")]}, 5000),
        ({"containers": [container("1")], "initContainers": [container("4"), sidecar("1")]}, 4000),
        ({"containers": [container("1")], "overhead": {"cpu": "250m"}}, 1250),
        ({"containers": [container("1"), container()], "resources": {"requests": {"cpu": "3"}}}, 3000),
    ],
    ids=[
        "containers add up",
        "init containers count by their maximum",
        "sidecars run along",
        "sidecars run beside later init containers",
        "but not beside earlier ones",
        "overhead comes on top",
        "the pod's own level wins",
    ],
)
def test_requests_of_a_pod(spec: Object, cpu: int) -> None:
    assert pod_requests({"spec": spec})["cpu"] == cpu


def test_scoring_counts_containers_that_ask_for_nothing() -> None:
    found = pod_requests({"spec": {"containers": [container(), container("1")]}}, scoring=True)
    assert found == {"cpu": DEFAULT_CPU + 1000, "memory": 2 * DEFAULT_MEMORY}


def test_a_pod_that_is_being_resized_holds_the_larger_amount() -> None:
    resized = {
        "spec": {"containers": [container("1")]},
        "status": {"containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "2"}}}]},
    }
    assert pod_requests(resized, scheduled=True)["cpu"] == 2000
    assert pod_requests(resized)["cpu"] == 1000


def test_scalar_resources_are_kept_in_order_and_without_zeros() -> None:
    one = Resources.of({"cpu": 1, "example.com/gpu": 2, "hugepages-2Mi": 4, "example.com/none": 0})
    assert one.scalars == (("example.com/gpu", 2), ("hugepages-2Mi", 4))
    assert one.plus(one).scalar("example.com/gpu") == 4
    assert one.plus(one, -1) == Resources()


def test_nodes_are_looked_at_zone_by_zone_in_turn() -> None:
    tree = NodeTree()
    for name, zone in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c")):
        tree.set(name, {"topology.kubernetes.io/zone": zone})
    assert tree.names() == ["a1", "b1", "c1", "a2", "a3"]
    assert tree.set("a1", {"topology.kubernetes.io/zone": "b"})
    assert not tree.set("a1", {"topology.kubernetes.io/zone": "b", "other": "label"})
    tree.remove("c1")
    assert tree.names() == ["a2", "b1", "a3", "a1"]
