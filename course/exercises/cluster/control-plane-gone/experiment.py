"""What goes on and what does not while all of the control plane is stopped."""

from __future__ import annotations

from autograder.checks import Trial
from autograder.controlplane.apimachinery.errors import StatusError

CONTROL_PLANE = ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")


def experiment(trial: Trial) -> dict[str, object]:
    """Two outages from the same beginning: one to look at what goes on, one in which a node is lost as well."""
    return {**outage(trial), "replaced": made_while_a_node_is_lost(trial.trial())}


def outage(trial: Trial) -> dict[str, object]:
    """A minute without a control plane; what was served and restarted in it."""
    pages, runs = served(trial), restarts(trial)
    stop(trial)
    answered = answers(trial)
    trial.after(60)
    start(trial)
    trial.after(1)
    return {"answered": answered, "served": served(trial) - pages > 1, "restarted": restarts(trial) > runs}


def made_while_a_node_is_lost(trial: Trial) -> int:
    """How many Pods of the Deployment are there after the outage that were not there before."""
    owner = trial.object("Deployment", trial.values["name"])
    pods = trial.pods(owner)
    before, node = {pod.name for pod in pods}, str(pods[0].field("spec.nodeName").value)
    stop(trial)
    trial.cluster.power_off(node)
    trial.after(60)
    start(trial)
    return len({pod.name for pod in trial.pods(owner)} - before)


def stop(trial: Trial) -> None:
    """Take the control plane away."""
    for component in CONTROL_PLANE:
        trial.cluster.stop(component)


def start(trial: Trial) -> None:
    """Give it back, and let nothing more happen than what is due at once."""
    for component in reversed(CONTROL_PLANE):
        trial.cluster.start(component)


def answers(trial: Trial) -> bool:
    """Whether the API server answers."""
    try:
        trial.cluster.list("Pod", trial.case.namespace)
    except StatusError:
        return False
    return True


def served(trial: Trial) -> int:
    """How many pages the visitor has got so far."""
    return trial.cluster.logs("visitor", trial.case.namespace).count("nginx")


def restarts(trial: Trial) -> int:
    """How often the ticker's program was started again, as its kubelet reports."""
    statuses = trial.object("Pod", "ticker").field("status.containerStatuses").value
    return int(statuses[0]["restartCount"])
