"""Checks of the first ReplicaSet: what it asks for, and that it heals."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate


def replica_set(review: Review) -> Subject:
    """The ReplicaSet that the task asks for."""
    return review.object("ReplicaSet", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """The controller works for the ReplicaSets that are there, and for no others."""
    replica_set(review)


@criterion("replicas", points=1)
def replicas(review: Review) -> None:
    """The number of replicas is the one promise that a ReplicaSet makes."""
    replica_set(review).field("spec.replicas").equals(review.values["replicas"])


@criterion("selector", points=1)
def selector(review: Review) -> None:
    """The selector decides which Pods are counted, whoever made them."""
    replica_set(review).field("spec.selector").selects({"app": review.values["name"]})


@criterion("image", points=1)
def image(review: Review) -> None:
    """Every new Pod is made from the template; what stands there is what runs."""
    replica_set(review).container().field("image").is_image(review.values["image"])


@criterion("heals", points=3)
def heals(review: Review) -> None:
    """This is what a ReplicaSet is for: a Pod that is lost is replaced, without anybody being called at night."""
    owner = replica_set(review)
    count = owner.object["spec"]["replicas"]
    review.require(
        count > 0, "a ReplicaSet of no replicas has nothing to heal", wanted="Pods that can be replaced",
        found="no Pods", about=owner.field("spec.replicas"),
    )  # fmt: skip
    review.has_ready_pods(owner, count)
    trial = review.trial()
    lost = trial.pods(owner)[0]
    trial.delete(lost)
    trial.has_ready_pods(owner, count)
    trial.require(
        lost.name not in [pod.name for pod in trial.pods(owner)], "the Pod that was deleted is still there",
        wanted="a new Pod in place of the deleted one", found="the deleted Pod",
    )  # fmt: skip
