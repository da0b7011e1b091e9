"""Deletes a namespace while nobody is there to empty it."""

from __future__ import annotations

from autograder.checks import Trial
from autograder.controlplane.apimachinery.errors import NotFound


def experiment(trial: Trial) -> dict[str, object]:
    """Stop the controllers, delete, look, try to create something, start them again, and look once more."""
    namespace = trial.values["namespace"]
    trial.cluster.stop("kube-controller-manager")
    trial.cluster.delete("Namespace", namespace, "")
    trial.after(60)
    phase, pods = _phase(trial, namespace), len(trial.objects("Pod", namespace))
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": namespace}}
    new = trial.create(settings)
    trial.cluster.start("kube-controller-manager")
    trial.after(60)
    return {
        "phase": phase,
        "pods": pods,
        "new": "accepted" if new.accepted else "refused",
        "afterwards": _phase(trial, namespace),
    }


def _phase(trial: Trial, namespace: str) -> str:
    """The phase of a namespace, or ``gone``."""
    try:
        return str(trial.cluster.get("Namespace", namespace, "")["status"]["phase"])
    except NotFound:
        return "gone"
