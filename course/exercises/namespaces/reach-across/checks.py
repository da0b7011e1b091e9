"""Checks of a Pod that needs a Service of another namespace: it reaches it, and by its name."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard
from autograder.checks.health import is_ready


def pod(review: Review) -> Subject:
    """The Pod that asks."""
    return review.object("Pod", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """The Pod is in one namespace, and the Service in another one."""
    pod(review)


@criterion("reaches it", points=3)
def reaches(review: Review) -> None:
    """A name without a namespace is looked for in the namespace of whoever asks."""
    review.ready(pod(review))


@criterion("reaches it anew", points=3)
def reaches_anew(review: Review) -> None:
    """A Service that is made anew has another address; its name is what stays."""
    review.ready(pod(review))
    trial = review.trial()
    service = trial.object("Service", "db", review.values["namespace"])
    trial.delete(service)
    trial.eventually(
        "the Pod notices that the Service is gone", lambda: not is_ready(pod(trial).object), stable=0,
        found=lambda: "the Pod is still ready", about=pod(review).container().field("readinessProbe"),
    )  # fmt: skip
    metadata = {"name": "db", "namespace": review.values["namespace"]}
    spec = {"ports": [{"port": 80}], "selector": {"app": "db"}}
    trial.cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    trial.ready(pod(trial))


@guard("image", costs=1)
def image(review: Review) -> None:
    """A repair changes what is broken and nothing else."""
    pod(review).container("shop").field("image").is_image("busybox:1.36")
