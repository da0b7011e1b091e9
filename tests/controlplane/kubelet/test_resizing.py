"""Pods whose resources are changed while they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograder.controlplane.apimachinery.scheme import PODS

if TYPE_CHECKING:
    from tests.controlplane.kubelet.conftest import World

AMOUNTS = {"requests": {"cpu": "1", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}


def resize(world: World, pod: str = "p", **resources: Any) -> dict[str, Any]:
    """The status of the container of a pod, some time after its resources were changed."""
    world.patch(pod, "resize", containers=[{"name": "c", "resources": resources}])
    return world.container(pod)


def pending(world: World, pod: str = "p") -> dict[str, Any] | None:
    conditions = world.pod(pod)["status"]["conditions"]
    return next((one for one in conditions if one["type"].startswith("PodResize")), None)


def test_a_running_container_gets_what_it_asks_for_and_is_not_restarted(world: World) -> None:
    world.run("p", {"resources": AMOUNTS})
    before = world.container("p")
    status = resize(world, requests={"cpu": "2"}, limits={"memory": "256Mi"})
    assert status["containerID"] == before["containerID"]
    assert status["resources"] == {"requests": {"cpu": "2", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
    assert status["allocatedResources"] == {"cpu": "2", "memory": "64Mi"}
    assert pending(world) is None
    assert world.reasons("p")[-2:] == ["ResizeStarted", "ResizeCompleted"]
    pod = world.pod("p")
    assert pod["status"]["observedGeneration"] == pod["metadata"]["generation"] == 2


def test_a_container_whose_policy_says_so_is_restarted(world: World) -> None:
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    world.run("p", {"resources": AMOUNTS, "resizePolicy": policy})
    assert resize(world, requests={"cpu": "2"})["restartCount"] == 0
    world.patch("p", "resize", containers=[{"name": "c", "resources": {"limits": {"memory": "1Gi"}}}], seconds=5)
    assert world.container("p")["restartCount"] == 1
    assert world.container("p")["resources"]["limits"] == {"memory": "1Gi"}
    assert ("Normal", "Killing", "Container c resize requires restart") in world.events("p")


def test_what_the_node_does_not_have_is_put_off_until_it_has(world: World) -> None:
    world.run("p", {"resources": AMOUNTS})
    world.run("other", {"resources": {"requests": {"cpu": "2"}}})
    status = resize(world, requests={"cpu": "3"})
    assert status["allocatedResources"]["cpu"] == status["resources"]["requests"]["cpu"] == "1"
    condition = pending(world)
    assert condition is not None
    assert (condition["type"], condition["reason"]) == ("PodResizePending", "Deferred")
    assert condition["message"] == (
        "Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000"
    )
    assert world.reasons("p").count("ResizeDeferred") == 1
    world.cluster.advance(600)
    assert world.reasons("p").count("ResizeDeferred") == 1
    world.client.delete(PODS, "default", "other", grace_period=1)
    world.cluster.advance(5)
    assert world.container("p")["allocatedResources"]["cpu"] == "3"
    assert pending(world) is None


def test_who_wants_less_again_has_what_he_wants(world: World) -> None:
    world.run("p", {"resources": AMOUNTS})
    world.run("other", {"resources": {"requests": {"cpu": "2"}}})
    resize(world, requests={"cpu": "3"})
    assert pending(world) is not None
    assert resize(world, requests={"cpu": "1"})["allocatedResources"]["cpu"] == "1"
    assert pending(world) is None


def test_more_memory_keeps_a_container_alive_that_would_be_killed(world: World) -> None:
    use = {"annotations": {"autograder.dev/memory-use": "c=100Mi"}}
    world.run("p", {"resources": AMOUNTS}, metadata=use)
    assert world.container("p")["restartCount"] == 0
    status = resize(world, requests={"memory": "32Mi"}, limits={"memory": "90Mi"})
    assert (status["restartCount"], status["resources"]["limits"]["memory"]) == (0, "128Mi")
    condition = pending(world)
    assert condition is not None
    assert (condition["type"], condition["reason"]) == ("PodResizeInProgress", "Error")
    assert condition["message"] == (
        'cannot decrease memory limits: attempting to set container "c" memory limit (94371840) below current usage '
        "(104857600)"
    )
    assert resize(world, limits={"memory": "101Mi"})["resources"]["limits"]["memory"] == "101Mi"
    assert pending(world) is None


def test_a_fork_goes_on_with_what_was_put_off(world: World) -> None:
    world.run("p", {"resources": AMOUNTS})
    world.run("other", {"resources": {"requests": {"cpu": "2"}}})
    resize(world, requests={"cpu": "3"})
    twin = world.cluster.fork()
    for cluster in (twin, world.cluster):
        cluster.client().delete(PODS, "default", "other", grace_period=1)
        cluster.advance(5)
        status = cluster.client().get(PODS, "default", "p")["status"]
        assert status["containerStatuses"][0]["allocatedResources"]["cpu"] == "3"
