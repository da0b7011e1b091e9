"""Checks of a Deployment under a quota: its Pods say what they need, and run."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def deployment(review: Review) -> Subject:
    """The Deployment that gets no Pods."""
    return review.object("Deployment", review.values["name"])


def requested(review: Review, resource: str, amount: str) -> None:
    """Each Pod, whoever filled in its requests, asks for so much."""
    pods = review.pods(deployment(review))
    review.require(bool(pods), "there are no Pods yet", wanted=f"Pods that request {amount}", found="no Pods")
    for pod in pods:
        pod.container().requested(resource).is_quantity(amount)


@gate("exists")
def exists(review: Review) -> None:
    """A Deployment that is deleted has no Pods either."""
    deployment(review)


@criterion("runs", points=3)
def runs(review: Review) -> None:
    """It is the API server that lets Pods in, and it has to know what to count for each."""
    owner = deployment(review)
    review.has_ready_pods(owner, review.values["replicas"])
    review.ready(owner)


@criterion("CPU request", points=2)
def cpu(review: Review) -> None:
    """Under a quota for CPU requests every container has to say what it requests, or somebody says it for it."""
    requested(review, "cpu", "200m")


@criterion("memory request", points=2)
def memory(review: Review) -> None:
    """Each resource that the quota names has to be stated; one of two is not enough."""
    requested(review, "memory", "128Mi")


@guard("Deployment not deleted", costs=3)
def not_deleted(review: Review) -> None:
    """A Deployment can be changed in place; whoever deletes it loses its history."""
    review.not_replaced("Deployment", review.values["name"])


@guard("quota left alone", costs=3)
def quota_left_alone(review: Review) -> None:
    """Whoever may change the quota has none."""
    review.unchanged("ResourceQuota", "team-quota")
