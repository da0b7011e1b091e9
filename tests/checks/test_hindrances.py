"""What of a real cluster may keep a right answer from working."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.checks import hindrances

IMAGES = frozenset({"nginx:1.27"})


class Real:
    """A cluster with one Pod and its events, and other objects by their kinds."""

    def __init__(self, pod: dict[str, Any], *events: dict[str, Any], **others: list[dict[str, Any]]) -> None:
        self.objects = {"Pod": [pod], "Event": list(events), **others}

    def list(self, kind: str, namespace: str = "default") -> list[dict[str, Any]]:
        return self.objects.get(kind, [])


def pod(reason: str, image: str = "nginx:1.27", phase: str = "Pending") -> dict[str, Any]:
    status = {
        "phase": phase, "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [{"name": "main", "image": image, "state": {"waiting": {"reason": reason}}}],
    }  # fmt: skip
    return {"metadata": {"name": "web", "namespace": "x", "uid": "1"}, "spec": {"nodeName": "n"}, "status": status}


WARNING = {"type": "Warning", "involvedObject": {"uid": "1"}, "reason": "FailedMount", "message": "no such secret"}


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
def test_a_right_image_that_cannot_be_pulled_is_nobodys_mistake(reason: str) -> None:
    assert "cannot be pulled here" in hindrances(Real(pod(reason)), IMAGES)[0]  # type: ignore[arg-type]
    assert hindrances(Real(pod(reason, "docker.io/library/nginx:1.27")), IMAGES)  # type: ignore[arg-type]


def test_a_wrong_image_is_the_answers_own() -> None:
    assert hindrances(Real(pod("ErrImagePull", "nginx:1.2")), IMAGES) == []  # type: ignore[arg-type]


def test_a_slow_node_is_nobodys_mistake_and_what_cannot_be_mounted_is() -> None:
    assert hindrances(Real(pod("ContainerCreating")), IMAGES)  # type: ignore[arg-type]
    assert hindrances(Real(pod("ContainerCreating"), WARNING), IMAGES) == []  # type: ignore[arg-type]


def test_a_pod_that_runs_or_crashes_is_judged() -> None:
    assert hindrances(Real(pod("CrashLoopBackOff", phase="Running")), IMAGES) == []  # type: ignore[arg-type]
    assert hindrances(Real(pod("CreateContainerConfigError")), IMAGES) == []  # type: ignore[arg-type]


def test_a_pod_that_no_scheduler_has_looked_at_waits() -> None:
    waiting = {"metadata": {"name": "web", "uid": "1"}, "spec": {}, "status": {"phase": "Pending"}}
    assert "no scheduler" in hindrances(Real(waiting), IMAGES)[0]  # type: ignore[arg-type]
    refused = {**waiting, "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False"}]}}
    assert hindrances(Real(refused), IMAGES) == []  # type: ignore[arg-type]


# ---------------------------------------------------------------- nodes that others have filled


def node(cpu: str, **spec: Any) -> dict[str, Any]:
    status = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "110"}}
    return {"metadata": {"name": "n", "labels": {"disk": "ssd"}}, "spec": spec, "status": status}


def unschedulable(cpu: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "nginx:1.27", "resources": {"requests": {"cpu": cpu}}}
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {
        "metadata": {"name": "web", "namespace": "x", "uid": "1"},
        "spec": {"containers": [container], **spec},
        "status": {"phase": "Pending", "conditions": [refused]},
    }


def crowded(pod: dict[str, Any], *nodes: dict[str, Any]) -> bool:
    found = hindrances(Real(pod, Node=list(nodes)), IMAGES)  # type: ignore[arg-type]
    return any("no room" in reason for reason in found)


def test_a_pod_that_would_fit_but_for_others_is_nobodys_mistake() -> None:
    assert crowded(unschedulable("1"), node("2"))
    assert crowded(unschedulable("1", nodeSelector={"disk": "ssd"}), node("500m"), node("2"))


@pytest.mark.parametrize(
    ("pod", "where"),
    [
        pytest.param(unschedulable("3"), node("2"), id="more than a node has"),
        pytest.param(unschedulable("1", nodeSelector={"disk": "hdd"}), node("2"), id="a label that no node has"),
        pytest.param(unschedulable("1"), node("2", unschedulable=True), id="a cordoned node"),
        pytest.param(
            unschedulable("1"), node("2", taints=[{"key": "k", "value": "", "effect": "NoSchedule"}]), id="a taint"
        ),
        pytest.param(
            unschedulable("1", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]), node("2"),
            id="a volume may be what is missing",
        ),
    ],
)  # fmt: skip
def test_a_pod_that_fits_nowhere_is_the_answers_own(pod: dict[str, Any], where: dict[str, Any]) -> None:
    assert not crowded(pod, where)


def test_our_own_pods_fill_a_node_too() -> None:
    mate = {**unschedulable("1500m", nodeName="n"), "metadata": {"name": "mate", "namespace": "x", "uid": "2"}}
    cluster = Real(unschedulable("1"), Node=[node("2")])
    cluster.objects["Pod"].append(mate)
    assert hindrances(cluster, IMAGES) == []  # type: ignore[arg-type]


def test_a_controller_that_has_not_looked_yet_is_nobodys_mistake() -> None:
    late = {"metadata": {"name": "web", "generation": 2}, "status": {"observedGeneration": 1}}
    running = pod("", phase="Running")
    assert "no controller" in hindrances(Real(running, Deployment=[late]), IMAGES)[0]  # type: ignore[arg-type]
    seen = {**late, "status": {"observedGeneration": 2}}
    assert hindrances(Real(running, Deployment=[seen]), IMAGES) == []  # type: ignore[arg-type]
