"""A node is lost while nobody can write it down."""

from __future__ import annotations

from autograder.checks import Trial


def experiment(trial: Trial) -> dict[str, object]:
    """Stop the API server, cut the power, wait; start it, and look three times."""
    name = trial.values["name"]
    home = str(trial.object("Pod", "visitor").field("spec.nodeName").value)
    lost = next(node for node in ("worker-1", "worker-2") if node != home)
    pages = served(trial)
    trial.cluster.stop("kube-apiserver")
    trial.cluster.power_off(lost)
    trial.after(540)
    trial.cluster.start("kube-apiserver")
    trial.after(1)
    seen = {"served": served(trial) - pages > 1, "status": status(trial, lost)}
    trial.after(119)
    owner = trial.object("Deployment", name)
    soon = [pod for pod in trial.pods(owner) if pod.field("spec.nodeName").value == lost and not is_going(pod.object)]
    trial.after(480)
    return {**seen, "soon": len(soon), "later": len(trial.ready_pods(trial.object("Deployment", name)))}


def served(trial: Trial) -> int:
    """How many pages the visitor has got so far."""
    return trial.cluster.logs("visitor", trial.case.namespace).count("nginx")


def status(trial: Trial, node: str) -> str:
    """What `kubectl get nodes` shows."""
    conditions = trial.object("Node", node).field("status.conditions").value
    (ready,) = (condition for condition in conditions if condition["type"] == "Ready")
    return "Ready" if ready["status"] == "True" else "NotReady"


def is_going(pod: dict[str, dict[str, object]]) -> bool:
    """Whether somebody has asked for it to be deleted."""
    return "deletionTimestamp" in pod["metadata"]
