"""Checks of a Deployment that named a scheduler which is not there: now the cluster's own one places its Pods."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def deployment(review: Review) -> Subject:
    """The Deployment whose Pods waited."""
    return review.object("Deployment", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """A Deployment is changed in place; to delete it takes its history away."""
    review.not_replaced("Deployment", review.values["name"])


@criterion("scheduler", points=2)
def scheduler(review: Review) -> None:
    """A scheduler looks only at Pods that name it."""
    deployment(review).field("spec.template.spec.schedulerName").equals("default-scheduler")


@criterion("runs", points=4)
def runs(review: Review) -> None:
    """A Pod that no scheduler takes care of waits for ever, and nobody says so."""
    review.has_ready_pods(deployment(review), 2)


@guard("nodes left open", costs=2)
def nodes(review: Review) -> None:
    """Whoever writes the node into a template goes past the scheduler, and puts all Pods on one machine."""
    deployment(review).field("spec.template.spec.nodeName").is_missing()


@guard("image", costs=2)
def image(review: Review) -> None:
    """A repair changes what is broken and nothing else."""
    deployment(review).container("app").field("image").is_image("nginx:1.27")
