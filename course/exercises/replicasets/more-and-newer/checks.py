"""Checks of a ReplicaSet that grew and was renewed: how many, from which template, and no old ones left."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard

IMAGE = "nginx:1.28"


def replica_set(review: Review) -> Subject:
    """The ReplicaSet that was there."""
    return review.object("ReplicaSet", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """Without its ReplicaSet nobody keeps the Pods."""
    replica_set(review)


@criterion("number", points=2)
def number(review: Review) -> None:
    """The controller creates what is missing as soon as another number is asked for."""
    review.has_ready_pods(replica_set(review), review.values["replicas"])


@criterion("new template", points=2)
def template(review: Review) -> None:
    """Pods that are made later come from the template, whatever the Pods of today look like."""
    replica_set(review).container("web").field("image").is_image(IMAGE)


@criterion("all of them new", points=2)
def all_new(review: Review) -> None:
    """A ReplicaSet looks at the number of its Pods and never at what they run; old ones stay until they are lost."""
    pods = review.pods(replica_set(review))
    review.require(
        bool(pods), "there are no Pods at all", wanted=f"Pods with the image {IMAGE}", found="no Pods",
    )  # fmt: skip
    for pod in pods:
        pod.container("web").field("image").is_image(IMAGE)


@guard("ReplicaSet not deleted", costs=3)
def not_deleted(review: Review) -> None:
    """Deleting a ReplicaSet deletes all its Pods at once, and nobody serves until there are new ones."""
    review.not_replaced("ReplicaSet", review.values["name"])
