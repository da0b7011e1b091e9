"""Which nodes will do, and what a pod's condition says when none will."""

from __future__ import annotations

import pytest
from scheduling_world import World, node

HELPLESS = (
    "no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
)
BATCH = {"key": "dedicated", "value": "batch", "effect": "NoSchedule"}


@pytest.fixture
def world() -> World:
    return World(
        node("node-a", "4", "8Gi", labels={"disk": "ssd", "zone": "z1"}),
        node("node-b", "2", "4Gi", labels={"disk": "hdd", "zone": "z1"}),
        node("node-c", "16", "32Gi", labels={"disk": "hdd", "zone": "z2"}, taints=[BATCH]),
    )


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"cpu": "8"}, "1 node(s) had untolerated taint(s), 2 Insufficient cpu."),
        (
            {"nodeSelector": {"disk": "nvme"}},
            "1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector.",
        ),
        (
            {"cpu": "3900m", "memory": "9Gi", "nodeSelector": {"disk": "ssd"}},
            "1 Insufficient memory, 1 node(s) didn't match Pod's node affinity/selector, "
            "1 node(s) had untolerated taint(s).",
        ),
    ],
)
def test_the_reasons_of_all_nodes_are_counted_and_sorted(world: World, spec: dict[str, object], why: str) -> None:
    assert world.schedule("p", **spec) == ""  # type: ignore[arg-type]
    condition = world.condition("p")
    assert condition["status"] == "False"
    assert condition["reason"] == "Unschedulable"
    assert condition["message"] == f"0/3 nodes are available: {why} {HELPLESS}"


def test_without_nodes_there_is_nothing_to_look_at() -> None:
    world = World()
    assert world.schedule("p") == ""
    assert world.message("p") == "no nodes available to schedule pods"


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": "dedicated", "operator": "Equal", "value": "batch", "effect": "NoSchedule"},
        {"key": "dedicated", "operator": "Exists"},
        {"operator": "Exists"},
    ],
)
def test_a_toleration_opens_a_tainted_node(world: World, toleration: dict[str, str]) -> None:
    assert world.schedule("p", "8", tolerations=[toleration]) == "node-c"


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": "dedicated", "operator": "Equal", "value": "web", "effect": "NoSchedule"},
        {"key": "dedicated", "operator": "Exists", "effect": "NoExecute"},
    ],
)
def test_another_toleration_does_not(world: World, toleration: dict[str, str]) -> None:
    assert world.schedule("p", "8", tolerations=[toleration]) == ""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "zone", "operator": "In", "values": ["z1", "z9"]}, {"node-a", "node-b"}),
        ({"key": "disk", "operator": "NotIn", "values": ["hdd"]}, {"node-a"}),
        ({"key": "disk", "operator": "Exists"}, {"node-a", "node-b"}),
        ({"key": "disk", "operator": "DoesNotExist"}, {""}),
        ({"key": "rank", "operator": "Gt", "values": ["1"]}, {""}),
    ],
)
def test_node_affinity_admits_what_matches(world: World, expression: dict[str, object], expected: set[str]) -> None:
    term = {"matchExpressions": [expression]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    assert world.schedule("p", affinity={"nodeAffinity": required}) in expected


def test_a_node_may_be_named_by_its_field(world: World) -> None:
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-b"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    assert world.schedule("p", affinity={"nodeAffinity": required}) == "node-b"
    assert world.schedule("big", "3", affinity={"nodeAffinity": required}) == ""
    assert world.message("big").startswith(
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    )


def test_a_cordoned_node_takes_only_pods_that_tolerate_it(world: World) -> None:
    from autograder.controlplane.apimachinery.scheme import NODES

    world.patch(NODES, "node-a", {"spec": {"unschedulable": True}})
    late = {"nodeSelector": {"disk": "ssd"}}
    assert world.schedule("late", **late) == ""  # type: ignore[arg-type]
    assert "1 node(s) were unschedulable" in world.message("late")
    tolerant = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]
    assert world.schedule("bold", tolerations=tolerant, **late) == "node-a"  # type: ignore[arg-type]
    world.patch(NODES, "node-a", {"spec": {"unschedulable": None}})
    assert world.node_of("late") == "node-a"


def test_a_port_of_a_node_is_taken_once() -> None:
    world = World(node("a"), node("b"))
    container = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 8080}]}
    nodes = {world.schedule(f"web-{number}", containers=[container]) for number in range(2)}
    assert nodes == {"a", "b"}
    assert world.schedule("one-more", containers=[container]) == ""
    assert world.message("one-more").startswith(
        "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports. "
    )


def test_a_node_holds_no_more_pods_than_it_says() -> None:
    world = World(node("a", pods="1"))
    assert world.schedule("first") == "a"
    assert world.schedule("second") == ""
    assert "1 Too many pods" in world.message("second")


def test_a_pod_with_gates_waits_until_they_are_gone(world: World) -> None:
    from autograder.controlplane.apimachinery.scheme import PODS

    assert world.schedule("p", schedulingGates=[{"name": "example.com/wait"}]) == ""
    assert world.condition("p")["reason"] == "SchedulingGated"
    assert world.events("FailedScheduling") == []
    world.patch(PODS, "p", {"spec": {"schedulingGates": None}})
    assert world.node_of("p") in ("node-a", "node-b")


def test_pods_of_another_scheduler_are_left_alone(world: World) -> None:
    assert world.schedule("p", schedulerName="mine") == ""
    assert world.events("FailedScheduling") == world.events("Scheduled") == []


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (
            {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
            'persistentvolumeclaim "data" not found.',
        ),
        (
            {
                "volumes": [
                    {
                        "name": "v",
                        "ephemeral": {
                            "volumeClaimTemplate": {
                                "spec": {
                                    "accessModes": ["ReadWriteOnce"],
                                    "resources": {"requests": {"storage": "1Gi"}},
                                }
                            }
                        },
                    }
                ]
            },
            'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v".',
        ),
    ],
)
def test_a_claim_must_be_there(world: World, spec: dict[str, object], why: str) -> None:
    assert world.schedule("p", **spec) == ""  # type: ignore[arg-type]
    assert world.message("p") == f"0/3 nodes are available: {why} not found"


def test_a_claim_must_be_bound(world: World) -> None:
    from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS

    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    assert world.schedule("p", volumes=volumes) == ""
    world.create(PERSISTENTVOLUMECLAIMS, claim)
    unbound = "pod has unbound immediate PersistentVolumeClaims."
    assert world.message("p") == f"0/3 nodes are available: {unbound} not found"
