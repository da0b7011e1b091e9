"""Checks of the first Deployment: three copies of the right program, which can be reached under one name."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate


def deployment(review: Review) -> Subject:
    """The Deployment that was asked for."""
    return review.object("Deployment", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """What is wanted is written into an object; without it nobody knows what to keep running."""
    deployment(review)


@criterion("image", points=1)
def image(review: Review) -> None:
    """The image says which program runs, and in which version."""
    deployment(review).container().field("image").is_image("nginx:1.27")


@criterion("replicas", points=2)
def replicas(review: Review) -> None:
    """The number of copies is what the controllers work for; it counts when they are ready."""
    owner = deployment(review)
    owner.field("spec.replicas").equals(3)
    review.has_ready_pods(owner, 3)


@criterion("reachable", points=2)
def reachable(review: Review) -> None:
    """Pods come and go, and their addresses with them; a Service is the one address that stays."""
    name = review.values["name"]
    review.object("Service", name)
    trial = review.trial()
    trial.after(10)
    answer = trial.request(f"http://{name}")
    review.require(
        answer.code == 200, f"nobody answers at http://{name}, which is port 80",
        wanted="an answer of a Pod", found=f"status {answer.code}" if answer.code else "no answer",
    )  # fmt: skip
