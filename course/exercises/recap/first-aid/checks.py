"""Checks of the repair: Pods that are ready, a Service that finds them, and a probe that still asks."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def deployment(review: Review) -> Subject:
    """The program."""
    return review.object("Deployment", "api")


@gate("exists")
def exists(review: Review) -> None:
    """A repair leaves the patient alive."""
    deployment(review)
    review.object("Service", "api")


@criterion("ready", points=3)
def ready(review: Review) -> None:
    """A Pod that is not ready gets no requests, however well it runs."""
    review.has_ready_pods(deployment(review), 2)


@criterion("answers", points=4)
def answers(review: Review) -> None:
    """A Service leads to the ready Pods that its selector finds."""
    owner = deployment(review)
    review.ready(owner)
    answer = review.trial().request("http://api")
    review.require(
        answer.code == 200, "http://api was called and gave no page",
        wanted="an answer with code 200", found=f"code {answer.code}" if answer.code else answer.body,
        about=review.object("Service", "api").field("spec.selector"),
    )  # fmt: skip


@guard("probe kept", costs=2)
def probe(review: Review) -> None:
    """Without a probe every Pod counts as ready, the broken ones too."""
    deployment(review).container().field("readinessProbe.httpGet.path").equals("/")
