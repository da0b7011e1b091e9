"""What a change of a Deployment writes into the store, and what of the past can still be read."""

from __future__ import annotations

from autograder.checks import Subject, Trial
from autograder.clusters import Capability, need
from autograder.controlplane.etcd import Compacted, Store


def experiment(trial: Trial) -> dict[str, object]:
    """Label the Deployment, roll out, and look for its ReplicaSets and Pods in the store, now and as it was."""
    need(trial.cluster, Capability.FORK)  # what others run shows nobody its store
    owner = trial.object("Deployment", trial.values["name"])
    before = versions(trial, owner)
    owner = trial.patch(owner, {"metadata": {"labels": {"team": "green"}}})
    trial.after(10)
    label = versions(trial, owner) != before
    noted = store(trial).revision
    owner = trial.set_image(owner, "web", "nginx:1.28")
    trial.ready(owner)
    found = {
        "label": label,
        "replicasets": len(store(trial).range(f"/registry/replicasets/default/{owner.name}-")),
        "old": has(trial, before, 0),
        "past": has(trial, before, noted),
    }
    trial.after(12 * 60)
    return {**found, "later": has(trial, before, noted)}


def store(trial: Trial) -> Store:
    """The store of the trial's cluster; only an embedded cluster can be tried out in a copy."""
    return trial.cluster.control_plane.store


def versions(trial: Trial, owner: Subject) -> dict[str, object]:
    """The revision of the last write of each Pod."""
    return {pod.name: pod.field("metadata.resourceVersion").value for pod in trial.pods(owner)}


def has(trial: Trial, pods: dict[str, object], revision: int) -> bool:
    """Whether the store has the keys of these Pods as of a revision, 0 being now."""
    try:
        keys = {found.key for found in store(trial).range("/registry/pods/default/", revision=revision)}
    except Compacted:
        return False
    return {f"/registry/pods/default/{name}" for name in pods} <= keys
