"""What of a real cluster may keep a right answer from working."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.checks import hindrances

IMAGES = frozenset({"nginx:1.27"})


class Real:
    """A cluster with one Pod and its events."""

    def __init__(self, pod: dict[str, Any], *events: dict[str, Any]) -> None:
        self.objects = {"Pod": [pod], "Event": list(events)}

    def list(self, kind: str, namespace: str = "default") -> list[dict[str, Any]]:
        return self.objects[kind]


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
