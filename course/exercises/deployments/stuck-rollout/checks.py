"""Checks of a Deployment whose rollout was stuck: it runs what it ran before, and nobody noticed."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def deployment(review: Review) -> Subject:
    """The Deployment that is to be repaired."""
    return review.object("Deployment", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """A Deployment that is deleted takes its Pods with it."""
    deployment(review)


@criterion("program", points=2)
def program(review: Review) -> None:
    """A Deployment remembers every program that it ran, so that one can go back."""
    deployment(review).container("server").field("image").is_image("nginx:1.27")


@criterion("runs", points=4)
def runs(review: Review) -> None:
    """A Deployment is repaired when all its replicas serve, not when its manifest looks right."""
    review.has_ready_pods(deployment(review), 3)


@guard("strategy left alone", costs=2)
def strategy(review: Review) -> None:
    """The strategy did what it promises: it took away no more than it may."""
    owner = deployment(review)
    owner.field("spec.strategy.rollingUpdate.maxSurge").equals(0)
    owner.field("spec.strategy.rollingUpdate.maxUnavailable").equals(1)
    owner.field("spec.strategy.type").equals("RollingUpdate")


@guard("visitors served", costs=3)
def served(review: Review) -> None:
    """Two Pods served all the time; whoever deletes them, or the Deployment, shuts the shop."""
    kept = review.kept(deployment(review))
    review.require(
        len(kept) == 2, "Pods that served visitors before have been taken away",
        wanted="both Pods that were ready", found=f"{len(kept)} of 2 are left",
    )  # fmt: skip
