"""Checks of the repaired ReplicaSet: it finds its own Pods, no others, and keeps their number."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate


def replica_set(review: Review) -> Subject:
    """The ReplicaSet that is to be repaired."""
    return review.object("ReplicaSet", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """The controller works for the ReplicaSets that are there, and for no others."""
    replica_set(review)


@criterion("selector", points=2)
def selector(review: Review) -> None:
    """A selector that asks for too little counts Pods that belong to somebody else."""
    replica_set(review).field("spec.selector").selects({"app": review.values["name"], "tier": "web"})


@criterion("image", points=1)
def image(review: Review) -> None:
    """Every new Pod is made from the template; what stands there is what runs."""
    replica_set(review).container().field("image").is_image(review.values["image"])


@criterion("keeps its number", points=3)
def keeps(review: Review) -> None:
    """Pods are lost sooner or later; the ReplicaSet is there to bring their number back."""
    owner = replica_set(review)
    review.has_ready_pods(owner, review.values["replicas"])
    trial = review.trial()
    trial.delete(trial.pods(owner)[0])
    trial.has_ready_pods(owner, review.values["replicas"])
