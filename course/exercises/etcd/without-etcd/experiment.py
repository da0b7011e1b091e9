"""What goes on and what does not while etcd is stopped, and what is made up for afterwards."""

from __future__ import annotations

from collections.abc import Callable

from autograder.checks import Trial
from autograder.controlplane.apimachinery.errors import StatusError


def experiment(trial: Trial) -> dict[str, object]:
    """Stop etcd, read, write, wait; start it, and look."""
    name, namespace = trial.values["name"], trial.case.namespace
    pages = served(trial)
    trial.cluster.stop("etcd")
    read = works(lambda: trial.cluster.list("Pod", namespace))
    accepted = works(lambda: trial.cluster.patch("Deployment", name, {"spec": {"replicas": 4}}, namespace))
    trial.after(600)
    trial.cluster.start("etcd")
    pages = served(trial) - pages
    trial.after(120)
    pods = trial.ready_pods(trial.object("Deployment", name))
    restarts = sum(status["restartCount"] for pod in pods for status in pod.field("status.containerStatuses").value)
    return {"read": read, "accepted": accepted, "served": pages > 1, "restarts": restarts, "replicas": len(pods)}


def works(attempt: Callable[[], object]) -> bool:
    """Whether a request is answered with success."""
    try:
        attempt()
    except StatusError:
        return False
    return True


def served(trial: Trial) -> int:
    """How many pages the visitor has got so far."""
    return trial.cluster.logs("visitor", trial.case.namespace).count("nginx")
