"""Checks of a namespace that kubectl wrote, and of a Pod that was started in it."""

from __future__ import annotations

from autograder.checks import Review, criterion, gate


@gate("exists")
def exists(review: Review) -> None:
    """Nothing can be put into a namespace that is not there."""
    review.object("Namespace", review.values["namespace"])


@criterion("printed", points=2)
def printed(review: Review) -> None:
    """A manifest that is printed can be read, changed and kept; a command leaves nothing behind."""
    review.printed("Namespace", review.values["namespace"])


@criterion("in it", points=3)
def in_it(review: Review) -> None:
    """A command works in one namespace; unless you say which, it is your default."""
    pod = review.object("Pod", review.values["name"], review.values["namespace"])
    pod.container().field("image").is_image("nginx:1.27")
    review.ready(pod)
