"""Checks of the first Pod: it exists, it is what was asked for, it runs."""

from __future__ import annotations

from autograder.checks import Review, criterion, gate


@gate("exists")
def exists(review: Review) -> None:
    """Kubernetes knows an object by its kind, its namespace and its name."""
    review.object("Pod", review.values["name"])


@criterion("image", points=1)
def image(review: Review) -> None:
    """The image is the program that the container runs; the tag says which version of it."""
    pod = review.object("Pod", review.values["name"])
    pod.container(review.values["name"]).field("image").is_image(review.values["image"])


@criterion("label", points=1)
def label(review: Review) -> None:
    """Names are for people; Services and controllers find Pods by their labels alone."""
    pod = review.object("Pod", review.values["name"])
    pod.field("metadata.labels").key("app").equals(review.values["name"])


@criterion("runs", points=2)
def runs(review: Review) -> None:
    """A Pod that is stored is only a wish; the kubelet of a node has to start its containers and keep them up."""
    pod = review.object("Pod", review.values["name"])
    pod.container(review.values["name"])
    review.ready(pod)
