"""Checks of a Deployment that found no node: it runs where the fast disk is, and nothing else was changed for it."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard

NODE = "worker-2"


def deployment(review: Review) -> Subject:
    """The Deployment that waits."""
    return review.object("Deployment", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """The scheduler can only place Pods that somebody wants."""
    review.not_replaced("Deployment", review.values["name"])


@criterion("runs", points=6)
def runs(review: Review) -> None:
    """A node has to pass every filter: the right label does not help while the node is closed."""
    owner = deployment(review)
    review.has_ready_pods(owner, 2)
    there = {pod.object["spec"]["nodeName"] for pod in review.pods(owner)}
    review.require(there == {NODE}, "Pods run where there is no fast disk", wanted=NODE, found=", ".join(sorted(there)))


@guard("no lies", costs=3)
def no_lies(review: Review) -> None:
    """The scheduler believes every label of a node."""
    liars = [node.name for node in review.objects("Node", labels={"disk": "ssd"}) if node.name != NODE]
    review.require(not liars, "a node without a fast disk is said to have one", wanted=NODE, found=", ".join(liars))


@guard("Deployment left alone", costs=3)
def left_alone(review: Review) -> None:
    """The Deployment asks for what it needs."""
    review.unchanged("Deployment", review.values["name"])
