"""Cuts the power of a node, and looks at the node and its Pods again and again."""

from __future__ import annotations

from autograder.checks import Subject, Trial
from autograder.controlplane.apimachinery.errors import NotFound

NODE = "worker-1"


def experiment(trial: Trial) -> dict[str, object]:
    """Cut the power for 8 minutes, give it back for 2, and report what is seen on the way."""
    owner = trial.object("Deployment", trial.values["name"])
    trial.cluster.power_off(NODE)
    trial.after(30)
    early = _ready(trial)
    trial.after(90)
    later = _ready(trial)
    phase = trial.object("Pod", "alone").field("status.phase").value
    trial.after(360)
    ready = len(_on(trial.ready_pods(owner), "worker-2"))
    trial.cluster.power_on(NODE)
    trial.after(120)
    return {
        "early": early,
        "later": later,
        "phase": phase,
        "ready": ready,
        "bare": _exists(trial, "alone"),
        "back": len(_on(trial.pods(owner), NODE)),
    }


def _ready(trial: Trial) -> str:
    conditions = trial.cluster.get("Node", NODE)["status"]["conditions"]
    (status,) = [condition["status"] for condition in conditions if condition["type"] == "Ready"]
    return "Ready" if status == "True" else "NotReady"


def _on(pods: list[Subject], node: str) -> list[Subject]:
    return [pod for pod in pods if pod.object["spec"].get("nodeName") == node]


def _exists(trial: Trial, pod: str) -> bool:
    try:
        trial.cluster.get("Pod", pod, trial.case.namespace)
    except NotFound:
        return False
    return True
