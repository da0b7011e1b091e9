"""Nodes get addresses, are watched over, and lose their pods when they fall silent."""

from __future__ import annotations

from typing import Any

import pytest
from controller_world import World, deployment, pod

from autograder.controlplane.apimachinery.scheme import DEPLOYMENTS, NODES, PODS
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.topology import node


def taints(world: World, name: str) -> set[tuple[str, str]]:
    found = world.get(NODES, name, "")["spec"].get("taints", [])
    return {(one["key"].removeprefix("node.kubernetes.io/"), one["effect"]) for one in found}


def ready(world: World, name: str) -> tuple[str, str]:
    conditions = world.get(NODES, name, "")["status"]["conditions"]
    return next((one["status"], one["reason"]) for one in conditions if one["type"] == "Ready")


def test_every_node_gets_a_range_of_addresses(world: World) -> None:
    ranges = [node["spec"]["podCIDR"] for node in world.list(NODES, "")]
    assert ranges == ["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"]


def test_small_clusters_keep_nothing_for_long(world: World) -> None:
    found = {node["metadata"]["annotations"]["node.alpha.kubernetes.io/ttl"] for node in world.list(NODES, "")}
    assert found == {"0"}


def test_a_node_that_lives_keeps_its_conditions(world: World) -> None:
    world.advance(1000)
    assert {ready(world, name) for name in world.names(NODES, "")} == {("True", "KubeletReady")}
    assert taints(world, "worker-1") == set()


def test_a_silent_node_is_unreachable_after_its_grace(world: World) -> None:
    world.cluster.power_off("worker-1")
    world.advance(39)
    assert ready(world, "worker-1") == ("True", "KubeletReady")
    world.advance(25)
    assert ready(world, "worker-1") == ("Unknown", "NodeStatusUnknown")
    assert taints(world, "worker-1") == {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}
    assert ("NodeNotReady", "Node worker-1 status is now: NodeNotReady") in world.events("Node")
    world.cluster.power_on("worker-1")
    world.advance(30)
    assert ready(world, "worker-1")[0] == "True"
    assert taints(world, "worker-1") == set()


def test_its_pods_are_not_ready_and_are_evicted_after_five_minutes(world: World) -> None:
    world.create(deployment(replicas=4))
    world.advance(5)
    lost = {one["metadata"]["name"] for one in world.pods() if one["spec"]["nodeName"] == "worker-1"}
    assert lost
    world.cluster.power_off("worker-1")
    world.advance(70)
    unready = {one["metadata"]["name"] for one in world.pods() if not is_ready(one)}
    assert unready == lost
    world.advance(200)
    assert lost <= set(world.names(PODS))
    world.advance(120)
    leaving = {one["metadata"]["name"] for one in world.pods() if "deletionTimestamp" in one["metadata"]}
    assert leaving == lost
    assert world.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 4
    told = {message for reason, message in world.events("Pod") if reason == "TaintManagerEviction"}
    assert told == {f"Marking for deletion Pod default/{name}" for name in lost}


def is_ready(one: dict[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in one["status"].get("conditions", []))


def test_a_node_that_comes_back_in_time_keeps_its_pods(world: World) -> None:
    world.create(deployment(replicas=4))
    world.advance(5)
    before = world.names(PODS)
    world.cluster.power_off("worker-1")
    world.advance(100)
    world.cluster.power_on("worker-1")
    world.advance(400)
    assert world.names(PODS) == before


def test_when_all_nodes_are_dark_none_is_evicted_from() -> None:
    # The control plane of a cluster that was told its nodes runs on none of them, and so outlives them.
    world = World(Cluster(nodes=[node(f"worker-{number}", f"10.250.0.1{number}") for number in (1, 2)]))
    world.create(deployment(replicas=2))
    world.advance(5)
    for name in world.names(NODES, ""):
        world.cluster.power_off(name)
    world.advance(600)
    assert taints(world, "worker-1") == {("unreachable", "NoSchedule")}
    assert not [one for one in world.pods() if "deletionTimestamp" in one["metadata"]]


def test_cordoning_is_a_taint_too(world: World) -> None:
    world.patch(NODES, "worker-1", {"spec": {"unschedulable": True}})
    world.settle()
    assert taints(world, "worker-1") == {("unschedulable", "NoSchedule")}
    world.patch(NODES, "worker-1", {"spec": {"unschedulable": False}})
    world.settle()
    assert taints(world, "worker-1") == set()


@pytest.mark.parametrize(
    ("toleration", "left_after"),
    [
        (None, 0),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, None),
        ({"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute", "tolerationSeconds": 60}, 60),
        ({"key": "k", "operator": "Equal", "value": "other", "effect": "NoExecute"}, 0),
    ],
)
def test_a_no_execute_taint_drives_out_what_does_not_tolerate_it(
    world: World, toleration: dict[str, Any] | None, left_after: int | None
) -> None:
    world.create(pod("guest", nodeName="worker-1", tolerations=[toleration] if toleration else []))
    world.advance(5)
    world.patch(NODES, "worker-1", {"spec": {"taints": [{"key": "k", "value": "v", "effect": "NoExecute"}]}})
    world.settle()
    if left_after:
        world.advance(left_after - 5)
        assert "guest" in world.names(PODS)
        world.advance(5)
    world.advance(40)
    assert ("guest" in world.names(PODS)) == (left_after is None)


def test_a_taint_taken_off_in_time_cancels_the_eviction(world: World) -> None:
    toleration = {"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}
    world.create(pod("guest", nodeName="worker-1", tolerations=[toleration]))
    world.advance(5)
    world.patch(NODES, "worker-1", {"spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}})
    world.advance(30)
    world.patch(NODES, "worker-1", {"spec": {"taints": None}})
    world.advance(300)
    assert "guest" in world.names(PODS)
    assert ("TaintManagerEviction", "Cancelling deletion of Pod default/guest") in world.events("Pod")


def test_pods_of_a_deleted_node_are_cleared_away(world: World) -> None:
    world.create(deployment(replicas=4))
    world.advance(5)
    lost = {one["metadata"]["name"] for one in world.pods() if one["spec"]["nodeName"] == "worker-2"}
    world.delete(NODES, "worker-2", "")
    world.advance(30)
    assert lost <= set(world.names(PODS))
    world.advance(60)
    assert not lost & set(world.names(PODS))
    assert world.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 4
    assert ("RemovingNode", "Node worker-2 event: Removing Node worker-2 from Controller") in world.events("Node")
