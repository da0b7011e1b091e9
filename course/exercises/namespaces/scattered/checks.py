"""Checks of three objects that have to be in one namespace to find each other."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate


def pod(review: Review) -> Subject:
    """The Pod, in the namespace where it belongs."""
    return review.object("Pod", "painter", review.values["namespace"])


@gate("exists")
def exists(review: Review) -> None:
    """The Pod is where it belongs already; the others have to come to it."""
    pod(review)


@criterion("Pod runs", points=3)
def runs(review: Review) -> None:
    """A Pod can read ConfigMaps of its own namespace only; while there is none of that name, it does not start."""
    pod(review).container("painter").field("envFrom").is_present()
    review.ready(pod(review))


@criterion("Service leads to it", points=3)
def leads(review: Review) -> None:
    """A Service leads to Pods of its own namespace only, but it can be asked from everywhere."""
    trial = review.trial()
    service = trial.object("Service", "painter", review.values["namespace"])
    trial.ready(pod(trial))
    url = f"http://painter.{review.values['namespace']}"
    answer = trial.request(url)
    review.require(
        answer.code == 200, f"{url} was not answered when a Pod in the namespace default asked",
        wanted="an answer of the Pod", found=answer.body.strip()[:200], about=service.field("spec"),
    )  # fmt: skip
