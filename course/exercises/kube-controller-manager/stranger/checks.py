"""Checks of a ReplicaSet that had adopted a broken Pod: it has three good ones, and nobody noticed."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def replica_set(review: Review) -> Subject:
    """The ReplicaSet with the stranger."""
    return review.object("ReplicaSet", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """A ReplicaSet that is deleted takes its Pods with it."""
    review.not_replaced("ReplicaSet", review.values["name"])


@criterion("runs", points=4)
def runs(review: Review) -> None:
    """A controller counts Pods by their labels; a broken one counts as well, until it is taken away or repaired."""
    review.has_ready_pods(replica_set(review), 3)


@criterion("image", points=2)
def image(review: Review) -> None:
    """The template says what a Pod is made of; a Pod that came from elsewhere may be made of something else."""
    for pod in review.pods(replica_set(review)):
        pod.container("web").field("image").is_image("nginx:1.27")


@guard("ReplicaSet left alone", costs=3)
def left_alone(review: Review) -> None:
    """What is wanted was right. Only what there is was not."""
    review.unchanged("ReplicaSet", review.values["name"])


@guard("visitors served", costs=3)
def served(review: Review) -> None:
    """Two Pods served all the time; whoever deletes them shuts the shop."""
    kept = review.kept(replica_set(review))
    review.require(
        len(kept) == 2, "Pods that served visitors before have been taken away",
        wanted="both Pods that were ready", found=f"{len(kept)} of 2 are left",
    )  # fmt: skip
