"""Checks of a Deployment: what it asks for, that it heals, and that a bad version does no harm."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate


def deployment(review: Review) -> Subject:
    """The Deployment that the task asks for."""
    return review.object("Deployment", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """The controller works for the Deployments that are there."""
    deployment(review)


@criterion("replicas", points=1)
def replicas(review: Review) -> None:
    """The Deployment hands this number on to its newest ReplicaSet."""
    deployment(review).field("spec.replicas").equals(review.values["replicas"])


@criterion("labels", points=1)
def labels(review: Review) -> None:
    """Services and ReplicaSets find Pods by their labels, and by nothing else."""
    deployment(review).field("spec.template.metadata.labels").includes({"app": review.values["name"]})


@criterion("container", points=1)
def container(review: Review) -> None:
    """A rollout is a new image for a container, which is called by its name."""
    deployment(review).container("nginx").field("image").is_image(review.values["image"])


@criterion("heals", points=2)
def heals(review: Review) -> None:
    """The Deployment makes a ReplicaSet, and that one replaces Pods that are lost."""
    owner = deployment(review)
    count = review.values["replicas"]
    review.has_ready_pods(owner, count)
    trial = review.trial()
    trial.delete(trial.pods(owner)[0])
    trial.has_ready_pods(owner, count)


@criterion("survives a bad version", points=3)
def survives(review: Review) -> None:
    """A rollout takes away what works only when the new version works; that is what the strategy is for."""
    owner = deployment(review)
    count = review.values["replicas"]
    review.has_ready_pods(owner, count)
    trial = review.trial()
    trial.set_image(owner, owner.container().field("name").value, "nginx:no-such-version")
    trial.after(120)
    ready = len(trial.ready_pods(owner))
    trial.require(
        ready >= count, "a version that cannot start took away Pods that worked",
        wanted=f"at least {count} ready Pods", found=f"{ready} ready Pods", about=owner.field("spec.strategy"),
    )  # fmt: skip
