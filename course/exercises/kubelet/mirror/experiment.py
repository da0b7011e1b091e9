"""Deletes a Pod of a ReplicaSet, one of nobody and a static one, and looks which of them come back, and how."""

from __future__ import annotations

from typing import Any

from autograder.checks import Trial
from autograder.controlplane.apimachinery.errors import NotFound

STATIC = "kube-scheduler-control-plane"
SYSTEM = "kube-system"


def experiment(trial: Trial) -> dict[str, object]:
    """Delete all three, wait, and look."""
    owner = trial.object("ReplicaSet", trial.values["name"])
    gone = trial.pods(owner)[0]
    before = _container(trial.cluster.get("Pod", STATIC, SYSTEM))
    trial.delete(gone)
    trial.delete(trial.object("Pod", "alone"))
    trial.delete(trial.object("Pod", STATIC, SYSTEM))
    trial.after(60)
    pods = trial.pods(owner)
    after = _pod(trial, STATIC, SYSTEM)
    return {
        "static": after is not None,
        "container": after is not None and _container(after) != before,
        "bare": _pod(trial, "alone", trial.case.namespace) is not None,
        "pods": len(pods),
        "name": any(pod.name == gone.name for pod in pods),
    }


def _container(pod: dict[str, Any]) -> str:
    return str(pod["status"]["containerStatuses"][0]["containerID"])


def _pod(trial: Trial, name: str, namespace: str) -> dict[str, Any] | None:
    try:
        return trial.cluster.get("Pod", name, namespace)
    except NotFound:
        return None
