"""What a quota of ten Pods does to a Deployment of eleven."""

from __future__ import annotations

from autograder.checks import Trial
from autograder.clusters import Object
from autograder.controlplane.apimachinery.errors import StatusError

#: A controller asks again after twice as long each time, at last every 1000 seconds; it has been refused often enough
#: for that when each new Pod that starts wakes it up once more.
LONGEST_PAUSE = 1200

WORDS = {True: "accepted", False: "refused"}


def experiment(trial: Trial) -> dict[str, object]:
    """Scale beyond the quota, look, raise the quota, and look again."""
    scaled = _is_scaled(trial)
    trial.after(30)
    owner = trial.object("Deployment", trial.values["name"])
    events = trial.cluster.list("Event", trial.case.namespace)
    told = {event["involvedObject"]["kind"] for event in events if event["reason"] == "FailedCreate"}
    seen = {
        "scaled": WORDS[scaled],
        "pods": len(trial.pods(owner)),
        "told": " ".join(sorted(told)),
        "bare": WORDS[trial.create(_pod("extra")).accepted == 1],
    }
    trial.patch(trial.object("ResourceQuota", "ten"), {"spec": {"hard": {"pods": "12"}}})
    trial.after(LONGEST_PAUSE)
    return {**seen, "later": len(trial.pods(owner))}


def _is_scaled(trial: Trial) -> bool:
    """Ask for eleven replicas; whether the API server lets it pass."""
    try:
        trial.scale(trial.object("Deployment", trial.values["name"]), 11)
    except StatusError:
        return False
    return True


def _pod(name: str) -> Object:
    containers = [{"name": "main", "image": "nginx:1.27"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}
