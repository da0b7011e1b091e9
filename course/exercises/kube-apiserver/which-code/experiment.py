"""With which codes the API server answers requests that end at different steps."""

from __future__ import annotations

from typing import Any

from autograder.checks import Trial
from autograder.controlplane.apimachinery.errors import StatusError

CREATED = 201
CONTAINERS = [{"name": "web", "image": "nginx:1.27"}]


def experiment(trial: Trial) -> dict[str, object]:
    """Send the five requests."""
    here = trial.case.namespace
    return {
        "again": code(trial, trial.values["name"], {"containers": CONTAINERS}, here),
        "nowhere": code(trial, "one", {"containers": CONTAINERS}, "nowhere"),
        "typo": code(trial, "two", {"containerz": CONTAINERS}, here),
        "value": code(trial, "three", {"containers": CONTAINERS, "restartPolicy": "Sometimes"}, here),
        "quota": code(trial, "four", {"containers": CONTAINERS}, "full"),
    }


def code(trial: Trial, name: str, spec: dict[str, Any], namespace: str) -> int:
    """The status code that creating such a Pod is answered with."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    try:
        trial.cluster.create(pod, namespace)
    except StatusError as refusal:
        return refusal.code
    return CREATED
