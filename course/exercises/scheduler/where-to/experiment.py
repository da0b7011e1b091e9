"""Creates Pods one after the other, and looks where the scheduler puts them."""

from __future__ import annotations

from autograder.checks import Trial
from autograder.checks.meaning import as_quantity
from autograder.clusters import ClusterError

#: What each node has, as the task says.
CPUS = "4"


def experiment(trial: Trial) -> dict[str, object]:
    """Three Pods, then a cordoned node and a fourth one."""
    for node in ("worker-1", "worker-2"):
        found = trial.cluster.get("Node", node)["status"]["allocatable"]["cpu"]
        if as_quantity(found) != as_quantity(CPUS):
            raise ClusterError(f"{node} has {found} CPUs for Pods, and this is about nodes with {CPUS}")
    first = _placed(trial, "first", "2500m")
    second = _placed(trial, "second", "2")
    third = _placed(trial, "third", "500m")
    trial.patch(trial.object("Node", "worker-2"), {"spec": {"unschedulable": True}})
    closed = _placed(trial, "fourth", "500m")
    trial.after(60)
    pod = trial.object("Pod", "first").object
    stays = pod["status"]["phase"] == "Running" and pod["spec"].get("nodeName") == first
    return {"first": first, "second": second, "third": third, "closed": closed, "stays": stays}


def _placed(trial: Trial, name: str, cpu: str) -> str:
    """The node of a new Pod that requests so much CPU."""
    container = {"name": "app", "image": "nginx:1.27", "resources": {"requests": {"cpu": cpu}}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}
    trial.cluster.create(pod, trial.case.namespace)
    trial.after(10)
    return str(trial.object("Pod", name).object["spec"].get("nodeName") or "none")
