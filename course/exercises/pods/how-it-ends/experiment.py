"""What becomes of Pods whose programs end, under each restart policy."""

from __future__ import annotations

from autograder.checks import Subject, Trial
from autograder.clusters import Object

#: The restart policy of each Pod and the exit code of its program.
PODS = {"gentle": ("OnFailure", 0), "lost": ("Never", 1), "stubborn": ("OnFailure", 1), "willing": ("Always", 0)}


def experiment(trial: Trial) -> dict[str, object]:
    """Create the Pods, wait, and look."""
    for name, (policy, code) in PODS.items():
        trial.cluster.create(_pod(name, policy, f"sleep {trial.values['seconds']}; exit {code}"), trial.case.namespace)
    trial.after(120)
    pods = {name: trial.object("Pod", name) for name in PODS}
    phases = {name: pods[name].field("status.phase").value for name in ("gentle", "lost", "stubborn")}
    return {**phases, "restarts": _restarts(pods["lost"]), "again": _restarts(pods["willing"]) > 0}


def _pod(name: str, policy: str, script: str) -> Object:
    containers = [{"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", script]}]
    spec = {"restartPolicy": policy, "containers": containers}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def _restarts(pod: Subject) -> int:
    return sum(status["restartCount"] for status in pod.object["status"]["containerStatuses"])
