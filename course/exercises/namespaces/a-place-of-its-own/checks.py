"""Checks of a namespace with a Pod in it."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate


def pod(review: Review) -> Subject:
    """The Pod, looked for in its namespace."""
    return review.object("Pod", review.values["name"], review.values["namespace"])


@gate("exists")
def exists(review: Review) -> None:
    """Nothing can be put into a namespace that is not there."""
    review.object("Namespace", review.values["namespace"])


@criterion("label", points=1)
def label(review: Review) -> None:
    """A namespace can carry labels, by which rules and people choose among many."""
    review.object("Namespace", review.values["namespace"]).field("metadata.labels").includes(
        {"team": review.values["team"]}
    )


@criterion("Pod", points=2)
def in_its_place(review: Review) -> None:
    """A manifest says where a Pod belongs and what runs in it; if it names no namespace, that is the default one."""
    pod(review).container().field("image").is_image(review.values["image"])


@criterion("runs", points=2)
def runs(review: Review) -> None:
    """The same program can run in many namespaces under one name."""
    review.ready(pod(review))
