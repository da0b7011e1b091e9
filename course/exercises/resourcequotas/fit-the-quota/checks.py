"""Checks of the ReplicaSet under a quota: it asks for what it was told to, runs, and the quota holds."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def replica_set(review: Review) -> Subject:
    """The ReplicaSet that is to be repaired."""
    return review.object("ReplicaSet", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """The controller creates Pods for a ReplicaSet that is there."""
    replica_set(review)


@criterion("CPU request", points=1)
def cpu(review: Review) -> None:
    """Under a quota for CPU requests every container has to say what it requests."""
    replica_set(review).container().requested("cpu").is_quantity("200m")


@criterion("memory request", points=1)
def memory(review: Review) -> None:
    """Each resource that the quota names has to be stated; one of two is not enough."""
    replica_set(review).container().requested("memory").is_quantity("128Mi")


@criterion("runs", points=2)
def runs(review: Review) -> None:
    """The controller asks for Pods again and again, but it is the API server that lets them in."""
    review.has_ready_pods(replica_set(review), 4)


@criterion("quota holds", points=2)
def quota_holds(review: Review) -> None:
    """A quota is no advice: whoever scales beyond it gets as many Pods as fit, and not one more."""
    trial = review.trial()
    owner = trial.scale(replica_set(review), 8)
    trial.has_ready_pods(owner, 5)


@guard("image and selector left alone", costs=1)
def left_alone(review: Review) -> None:
    """A repair changes what is broken and nothing else."""
    owner = replica_set(review)
    owner.container().field("image").is_image("nginx:1.27")
    owner.field("spec.selector").selects({"app": review.values["name"]})


@guard("quota left alone", costs=3)
def quota_left_alone(review: Review) -> None:
    """Whoever may change the quota has none."""
    review.unchanged("ResourceQuota", "team-quota")
