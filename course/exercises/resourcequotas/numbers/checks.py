"""Checks of a quota on numbers of objects: so many are accepted, and not one more."""

from __future__ import annotations

from autograder.checks import Review, criterion, gate
from autograder.clusters import Object

CONTAINERS = [{"name": "main", "image": "nginx:1.27"}]


def accepts(review: Review, obj: Object, count: int) -> None:
    """So many objects like this one are accepted, one after the other, and the next one is refused."""
    trial = review.trial()
    quota = trial.object("ResourceQuota", review.values["name"])
    trial.eventually("the quota is counted", lambda: "hard" in quota.refreshed().object["status"], stable=0)
    burst = trial.burst(obj, count + 1)
    review.require(
        burst.accepted == count and burst.reason == "Forbidden",
        f"{count + 1} times a {obj['kind']} was created, one after the other, and {burst.accepted} were accepted",
        wanted=f"{count} accepted and the next one refused",
        found=f"{burst.accepted} accepted" + (f", then: {burst.refusal}" if burst.refusal else ", none refused"),
        about=quota.field("spec.hard"),
    )  # fmt: skip


@gate("exists")
def exists(review: Review) -> None:
    """A quota holds for the namespace that it is in, and for no other."""
    review.object("ResourceQuota", review.values["name"])


@criterion("Pods", points=2)
def pods(review: Review) -> None:
    """Only a quota that speaks of CPU or memory makes every Pod state them; one that counts Pods does not."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "burst"}, "spec": {"containers": CONTAINERS}}
    accepts(review, pod, review.values["pods"])


@criterion("Services", points=2)
def services(review: Review) -> None:
    """Services cost addresses, and some kinds of them cost money."""
    spec = {"ports": [{"port": 80}], "selector": {"app": "burst"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "burst"}, "spec": spec}
    accepts(review, service, review.values["services"])


@criterion("Deployments", points=2)
def deployments(review: Review) -> None:
    """Any kind of object can be counted, if it is called by its full name."""
    labels = {"app": "burst"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": CONTAINERS}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "burst"}, "spec": spec}
    accepts(review, deployment, 3)
