"""Checks of the pending Pod: it asks for what it needs, and so finds a node."""

from __future__ import annotations

from autograder.checks import Field, Review, criterion, gate, guard


def container(review: Review) -> Field:
    """The container that is to be repaired."""
    return review.object("Pod", review.values["name"]).container("app")


@gate("exists")
def exists(review: Review) -> None:
    """The scheduler can only place a Pod that is there."""
    container(review)


@criterion("CPU request", points=1)
def cpu_request(review: Review) -> None:
    """The scheduler sets the requested CPU aside on a node; a Pod that asks for too much fits nowhere."""
    container(review).field("resources.requests").key("cpu").is_quantity(review.values["cpu"])


@criterion("memory request", points=1)
def memory_request(review: Review) -> None:
    """The scheduler adds up the memory requests on a node; where none is stated, the limit stands in for it."""
    container(review).field("resources.requests").key("memory").is_quantity(review.values["memory"])


@criterion("memory limit", points=1)
def memory_limit(review: Review) -> None:
    """A container that goes beyond its memory limit is killed, so the limit leaves some air above the request."""
    container(review).field("resources.limits").key("memory").is_quantity(review.values["limit"])


@criterion("runs", points=2)
def runs(review: Review) -> None:
    """Pending means that no node has been found; only a Pod that is bound to a node is started."""
    review.ready(review.object("Pod", review.values["name"]))


@guard("image", costs=2)
def image(review: Review) -> None:
    """A repair changes what is broken and nothing else."""
    container(review).field("image").is_image("nginx:1.27")
