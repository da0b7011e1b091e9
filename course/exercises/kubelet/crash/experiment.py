"""Lets containers end in different ways, and looks at the phases of their Pods."""

from __future__ import annotations

from autograder.checks import Trial


def experiment(trial: Trial) -> dict[str, object]:
    """Four Pods, two minutes."""
    for name, policy, code in (("always", "Always", 1), ("never", "Never", 1), ("once", "OnFailure", 0)):
        _create(trial, name, policy, code)
    before = _create(trial, "again", "Always", 0)
    trial.after(120)
    again = trial.object("Pod", "again").object
    return {
        **{name: trial.object("Pod", name).field("status.phase").value for name in ("always", "never", "once")},
        "restarted": again["status"]["containerStatuses"][0]["restartCount"] > 0,
        "same": again["metadata"]["uid"] == before,
    }


def _create(trial: Trial, name: str, policy: str, code: int) -> str:
    """Create a Pod whose container ends with this exit code; returns its uid."""
    container = {"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", f"sleep 5; exit {code}"]}
    spec = {"restartPolicy": policy, "containers": [container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    return str(trial.cluster.create(pod, trial.case.namespace)["metadata"]["uid"])
