"""Checks of a Deployment that is scaled and gets another image: it is still the same one, and it can go back."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def deployment(review: Review) -> Subject:
    """The Deployment that was there before."""
    return review.object("Deployment", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """What is deleted has no history."""
    deployment(review)


@criterion("replicas", points=2)
def replicas(review: Review) -> None:
    """To scale is to change one number; the controllers make Pods until it is true."""
    deployment(review).field("spec.replicas").equals(review.values["replicas"])


@criterion("image", points=2)
def image(review: Review) -> None:
    """A new image in the template is what starts a rollout."""
    deployment(review).container("web").field("image").is_image(review.values["image"])


@criterion("goes back", points=2)
def goes_back(review: Review) -> None:
    """The old ReplicaSet is kept with no Pods, so that a rollback has something to scale up."""
    review.ready(deployment(review))
    images = {
        replica_set.container("web").field("image").value for replica_set in review.objects("ReplicaSet")
        if replica_set.labels.get("app") == review.values["name"]
    }  # fmt: skip
    review.require(
        "nginx:1.27" in images and len(images) > 1, "the history does not hold the old version and the new one",
        wanted="both versions", found=", ".join(sorted(map(str, images))),
    )  # fmt: skip


@guard("not deleted", costs=3)
def not_deleted(review: Review) -> None:
    """A Deployment that is deleted takes its Pods with it: visitors notice."""
    review.not_replaced("Deployment", review.values["name"])
