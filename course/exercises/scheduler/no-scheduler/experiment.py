"""What happens to new Pods and old ones while nobody schedules."""

from __future__ import annotations

from autograder.checks import Trial


def experiment(trial: Trial) -> dict[str, object]:
    """Stop the scheduler, scale up, wait, and look."""
    owner = trial.object("ReplicaSet", trial.values["name"])
    (old,) = trial.pods(owner)
    trial.cluster.stop("kube-scheduler")
    owner = trial.scale(owner, 3)
    trial.after(60)
    pods = trial.pods(owner)
    new = [pod for pod in pods if pod.name != old.name]
    events = trial.cluster.list("Event", trial.case.namespace)
    about = {event["involvedObject"]["name"] for event in events if event["reason"] == "FailedScheduling"}
    (phase,) = {pod.field("status.phase").value for pod in new}
    return {
        "old": old.refreshed().field("status.phase").value,
        "created": len(pods),
        "phase": phase,
        "event": any(pod.name in about for pod in new),
    }
