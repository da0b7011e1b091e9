"""A ReplicaSet keeps its number of pods, adopts, lets go, and chooses whom to give up."""

from __future__ import annotations

from typing import Any

import pytest
from controller_world import World, pod, stubborn, workload

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import Forbidden
from autograder.controlplane.apimachinery.scheme import PODS, REPLICASETS, REPLICATIONCONTROLLERS
from autograder.controlplane.clock import EPOCH, SECOND
from autograder.controlplane.kube_controller_manager.pod_control import slow_start
from autograder.controlplane.kube_controller_manager.pods import in_order_of_deletion


def test_heals_itself(world: World) -> None:
    world.create(workload("ReplicaSet", replicas=3))
    world.advance(5)
    first = world.names(PODS)
    world.delete(PODS, first[0])
    world.advance(60)
    assert len(world.names(PODS)) == 3
    assert first[0] not in world.names(PODS)


def test_status_counts_what_is_there(world: World) -> None:
    world.create(workload("ReplicaSet", replicas=3))
    world.advance(5)
    assert world.get(REPLICASETS, "web")["status"] == {
        "replicas": 3,
        "fullyLabeledReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "observedGeneration": 1,
        "terminatingReplicas": 0,
    }


def test_counts_pods_that_are_going(world: World) -> None:
    world.create(workload("ReplicaSet", replicas=2, template=stubborn()))
    world.advance(5)
    world.patch(REPLICASETS, "web", {"spec": {"replicas": 1}})
    world.settle()
    assert world.get(REPLICASETS, "web")["status"]["terminatingReplicas"] == 1
    world.advance(60)
    assert world.get(REPLICASETS, "web")["status"]["terminatingReplicas"] == 0


def test_adopts_a_matching_orphan(world: World) -> None:
    world.create(pod("stray", {"app": "web"}))
    world.advance(5)
    world.create(workload("ReplicaSet", replicas=1))
    world.advance(5)
    assert world.names(PODS) == ["stray"]
    (reference,) = world.get(PODS, "stray")["metadata"]["ownerReferences"]
    assert (reference["kind"], reference["controller"], reference["blockOwnerDeletion"]) == ("ReplicaSet", True, True)


def test_lets_a_relabelled_pod_go_and_makes_another(world: World) -> None:
    world.create(workload("ReplicaSet", replicas=1))
    world.advance(5)
    (first,) = world.names(PODS)
    world.patch(PODS, first, {"metadata": {"labels": {"app": "other"}}})
    world.advance(5)
    assert len(world.names(PODS)) == 2
    assert "ownerReferences" not in world.get(PODS, first)["metadata"]


def test_a_deleted_set_takes_its_pods_along_unless_they_are_orphaned(world: World) -> None:
    world.create(workload("ReplicaSet", replicas=2))
    world.advance(5)
    twin = world.fork()
    world.delete(REPLICASETS, "web")
    world.advance(60)
    assert world.names(PODS) == []
    twin.delete(REPLICASETS, "web", propagation="Orphan")
    twin.advance(60)
    assert twin.names(REPLICASETS) == []
    assert len(twin.names(PODS)) == 2
    assert all("ownerReferences" not in one["metadata"] for one in twin.pods())


def test_tells_of_every_pod_it_makes_and_deletes(world: World) -> None:
    world.create(workload("ReplicaSet", replicas=1))
    world.advance(5)
    (name,) = world.names(PODS)
    world.patch(REPLICASETS, "web", {"spec": {"replicas": 0}})
    world.advance(5)
    told = world.events("ReplicaSet")
    assert told == [("SuccessfulCreate", f"Created pod: {name}"), ("SuccessfulDelete", f"Deleted pod: {name}")]


def test_a_replication_controller_does_the_same(world: World) -> None:
    controller = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "old"},
        "spec": {
            "replicas": 2,
            "selector": {"app": "old"},
            "template": {
                "metadata": {"labels": {"app": "old"}},
                "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]},
            },
        },
    }
    world.create(controller)
    world.advance(5)
    status = world.get(REPLICATIONCONTROLLERS, "old")["status"]
    assert (status["replicas"], status["availableReplicas"]) == (2, 2)
    assert "terminatingReplicas" not in status


@pytest.mark.parametrize(("allowed", "tried"), [(100, 10), (0, 1), (1, 3), (3, 7), (9, 10)])
def test_slow_start_stops_after_a_batch_that_was_refused(allowed: int, tried: int) -> None:
    calls = 0

    def create() -> None:
        nonlocal calls
        calls += 1
        if calls > allowed:
            raise Forbidden("exceeded quota")

    done, failure = slow_start(10, create)
    assert calls == tried
    assert done == min(allowed, 10)
    assert (failure is None) == (allowed >= 10)


NOW = EPOCH + 10_000 * SECOND


def aged(name: str, *, ready: int = 0, node: str = "n", phase: str = "Running", age: int = 100, **more: Any) -> Any:
    """A pod as the deletion order sees it; ``ready`` is for how many seconds it has been ready, 0 not at all."""
    conditions = []
    if ready:
        since = timestamps.time(NOW - ready * SECOND)
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]
    metadata = {"name": name, "uid": name, "creationTimestamp": timestamps.time(NOW - age * SECOND), **more}
    restarts = [{"restartCount": metadata.pop("restarts", 0)}]
    return {
        "metadata": metadata,
        "spec": {"nodeName": node} if node else {},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": restarts},
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(aged("a", node=""), aged("b", phase="Pending"), id="without a node"),
        pytest.param(aged("a", phase="Pending"), aged("b"), id="pending"),
        pytest.param(aged("a"), aged("b", ready=50), id="not ready"),
        pytest.param(
            aged("a", ready=50, annotations={"controller.kubernetes.io/pod-deletion-cost": "-5"}),
            aged("b", ready=1),
            id="cheap",
        ),
        pytest.param(aged("a", ready=50, node="busy"), aged("b", ready=1), id="on a crowded node"),
        pytest.param(aged("a", ready=5), aged("b", ready=500), id="ready for a shorter time"),
        pytest.param(aged("a", restarts=3), aged("b"), id="restarting"),
        pytest.param(aged("a", age=5), aged("b", age=500), id="younger"),
    ],
)
def test_gives_up_first_what_is_worth_least(first: Any, second: Any) -> None:
    ranks = {"busy": 2, "n": 1}
    for pods in ([first, second], [second, first]):
        assert in_order_of_deletion(pods, ranks, NOW) == [first, second]
