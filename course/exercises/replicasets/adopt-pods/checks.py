"""Checks of the adoption: the Pods that were there belong to the ReplicaSet, and it has made only the rest."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def replica_set(review: Review) -> Subject:
    """The ReplicaSet that the task asks for."""
    return review.object("ReplicaSet", review.values["name"])


def orphans(review: Review) -> list[str]:
    """The names of the Pods that were there before."""
    return [f"{review.values['name']}-{letter}" for letter in "ab"]


@gate("exists")
def exists(review: Review) -> None:
    """Without a ReplicaSet there is nobody to adopt the Pods."""
    replica_set(review)


@criterion("adopts", points=2)
def adopts(review: Review) -> None:
    """A controller finds its Pods by their labels, and adopts those that have no owner yet."""
    owner = replica_set(review)
    owned = {pod.name for pod in review.pods(owner)}
    missing = [name for name in orphans(review) if name not in owned]
    review.require(
        not missing, f"not owned by {owner}: {' and '.join(missing)}",
        wanted="both Pods owned by the ReplicaSet", found=f"it owns {', '.join(sorted(owned)) or 'no Pods'}",
        about=owner.field("spec.selector"),
    )  # fmt: skip


@criterion("replicas", points=1)
def replicas(review: Review) -> None:
    """What was adopted counts: the ReplicaSet creates only what is missing."""
    owner = replica_set(review)
    owner.field("spec.replicas").equals(review.values["replicas"])
    review.has_ready_pods(owner, review.values["replicas"])


@criterion("same image", points=1)
def same_image(review: Review) -> None:
    """Adopted Pods stay as they are; a template that says something else makes Pods that are no replicas."""
    replica_set(review).container().field("image").is_image("redis:7")


@criterion("replaces", points=1)
def replaces(review: Review) -> None:
    """An adopted Pod that is lost is replaced like any other; that is why one wants it adopted."""
    owner = replica_set(review)
    first = orphans(review)[0]
    adopted = [pod for pod in review.pods(owner) if pod.name == first]
    review.require(
        bool(adopted), f"{first} does not belong to {owner}, so nobody would replace it",
        wanted="a new Pod for an adopted one that is lost", found="nobody feels responsible",
        about=owner.field("spec.selector"),
    )  # fmt: skip
    trial = review.trial()
    trial.delete(trial.object("Pod", first))
    trial.has_ready_pods(owner, owner.object["spec"]["replicas"])


@guard("Pods left alone", costs=2)
def left_alone(review: Review) -> None:
    """The two Pods may hold data that somebody needs; taking them over must not restart or change them."""
    for name in orphans(review):
        review.unchanged("Pod", name)
