"""Containers that are added to a running pod to look into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autograder.controlplane.apimachinery.scheme import EVENTS

if TYPE_CHECKING:
    from tests.controlplane.kubelet.conftest import World

LASTING = {"name": "look", "image": "busybox:1.36", "command": ["sleep", "3600"]}


def add(world: World, pod: str = "p", **fields: Any) -> dict[str, Any]:
    """The status of a container that was added to a pod."""
    found = world.patch(pod, "ephemeralcontainers", ephemeralContainers=[{**LASTING, **fields}])
    (status,) = found["status"]["ephemeralContainerStatuses"]
    assert isinstance(status, dict)
    return status


def run(world: World, command: str, container: str = "look") -> str:
    return world.kubelets.exec("worker-1", "default", "p", container, command.split(), "").stdout


def test_it_runs_beside_the_others_and_changes_nothing_for_them(world: World) -> None:
    world.run("p")
    before = world.container("p")
    status = add(world)
    assert "running" in status["state"]
    assert (status["ready"], status["restartCount"], "started" in status) == (False, 0, False)
    assert world.container("p") == before
    assert world.conditions("p")["Ready"] == "True"
    assert run(world, "hostname") == "p\n"


def test_its_events_name_it(world: World) -> None:
    world.run("p")
    add(world)
    events = world.client.list(EVENTS)[0]
    paths = {event["involvedObject"].get("fieldPath") for event in events if event["reason"] == "Started"}
    assert "spec.ephemeralContainers{look}" in paths


def test_it_reaches_the_pod_over_localhost(world: World) -> None:
    world.run("p")
    add(world)
    assert "Welcome to nginx" in run(world, "wget -qO- http://localhost")


def test_with_a_target_it_sees_and_stops_processes_of_that_container(world: World) -> None:
    world.run("p", {"command": ["sleep", "5000"]})
    add(world, targetContainerName="c")
    assert "sleep 5000" in run(world, "ps")
    assert run(world, "ps").index("sleep 5000") < run(world, "ps").index("sleep 3600")
    run(world, "kill -9 1")
    world.cluster.advance(3)
    assert world.container("p")["restartCount"] == 1


def test_without_a_target_it_sees_its_own(world: World) -> None:
    world.run("p", {"command": ["sleep", "5000"]})
    add(world)
    assert "sleep 5000" not in run(world, "ps")


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 3)])
def test_one_that_has_ended_is_not_started_again(world: World, script: str, code: int) -> None:
    world.run("p")
    add(world, command=["sh", "-c", script])
    world.cluster.advance(600)
    (status,) = world.pod("p")["status"]["ephemeralContainerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == code
    assert status["restartCount"] == 0
    assert world.pod("p")["status"]["phase"] == "Running"


def test_one_whose_program_is_missing_fails_once(world: World) -> None:
    world.run("p")
    add(world, command=["no-such-program"])
    world.cluster.advance(600)
    (status,) = world.pod("p")["status"]["ephemeralContainerStatuses"]
    assert status["state"]["terminated"]["reason"] == "StartError"


def test_one_whose_image_is_missing_waits_for_it(world: World) -> None:
    world.run("p")
    status = add(world, image="registry.invalid/nothing:1")
    assert status["state"]["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert world.conditions("p")["Ready"] == "True"


def test_it_helps_where_an_init_container_hangs(world: World) -> None:
    hanging = {"name": "wait", "image": "busybox:1.36", "command": ["sleep", "100000"]}
    world.run("p", initContainers=[hanging])
    assert "running" in add(world)["state"]


def test_it_ends_with_its_pod(world: World) -> None:
    world.run("p", restartPolicy="Never", container={"image": "busybox:1.36", "command": ["sleep", "30"]})
    add(world)
    world.cluster.advance(120)
    assert world.pod("p")["status"]["phase"] == "Succeeded"
    (status,) = world.pod("p")["status"]["ephemeralContainerStatuses"]
    assert "terminated" in status["state"]


def test_a_kubelet_that_was_restarted_knows_it(world: World) -> None:
    world.run("p")
    add(world)
    world.cluster.stop("kubelet")
    world.cluster.start("kubelet")
    world.cluster.advance(5)
    (status,) = world.pod("p")["status"]["ephemeralContainerStatuses"]
    assert "running" in status["state"]
