"""What becomes of Pods, new and old, while no kubelet runs."""

from __future__ import annotations

from autograder.checks import Trial
from autograder.controlplane.apimachinery.errors import NotFound


def experiment(trial: Trial) -> dict[str, object]:
    """Stop the kubelets, scale and delete, and look twice."""
    owner = trial.object("Deployment", trial.values["name"])
    gone, old = trial.pods(owner)
    trial.cluster.stop("kubelet")
    owner = trial.scale(owner, 3)
    trial.delete(gone)
    trial.after(20)
    new = [pod for pod in trial.pods(owner) if pod.name not in (gone.name, old.name)]
    (phase,) = {pod.object["status"]["phase"] for pod in new}
    has_node = all("nodeName" in pod.object["spec"] for pod in new)
    trial.after(100)
    return {
        "node": has_node,
        "phase": phase,
        "deleted": not _exists(trial, gone.name),
        "ready": _status(trial, "worker-1"),
        "old": old.refreshed().field("status.phase").value,
    }


def _status(trial: Trial, node: str) -> str:
    conditions = trial.cluster.get("Node", node)["status"]["conditions"]
    (status,) = [condition["status"] for condition in conditions if condition["type"] == "Ready"]
    return "Ready" if status == "True" else "NotReady"


def _exists(trial: Trial, pod: str) -> bool:
    try:
        trial.cluster.get("Pod", pod, trial.case.namespace)
    except NotFound:
        return False
    return True
