"""Checks of a LimitRange: what a Pod gets that states nothing, and what is too much."""

from __future__ import annotations

from typing import Any

from autograder.checks import Review, Subject, criterion, gate, guard
from autograder.clusters import Object


def pod(name: str, cpu: str = "") -> Object:
    """A Pod that states nothing, or a limit of CPU."""
    container: dict[str, Any] = {"name": "main", "image": "nginx:1.27"}
    if cpu:
        container["resources"] = {"limits": {"cpu": cpu, "memory": "32Mi"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}


def silent(review: Review) -> Subject:
    """A Pod that stated nothing, as the API server stored it."""
    trial = review.trial()
    created = trial.create(pod("silent"))
    review.require(
        created.accepted == 1, f"a Pod that states nothing is refused: {created.refusal}",
        wanted="a Pod that states nothing to be accepted", found="refused",
        about=review.object("LimitRange", review.values["name"]).field("spec.limits"),
    )  # fmt: skip
    (stored,) = trial.objects("Pod")
    return stored


@gate("exists")
def exists(review: Review) -> None:
    """A LimitRange holds for the namespace that it is in, and for no other."""
    review.object("LimitRange", review.values["name"])


@criterion("requests", points=2)
def requests(review: Review) -> None:
    """What is filled in as a request is what the quota counts and what the scheduler sets aside."""
    stored = silent(review).container().field("resources.requests")
    review.each(
        lambda: stored.key("cpu").is_quantity(review.values["cpu"]),
        lambda: stored.key("memory").is_quantity("64Mi"),
    )


@criterion("limits", points=2)
def limits(review: Review) -> None:
    """Limits are filled in apart from requests, and a quota may count both."""
    stored = silent(review).container().field("resources.limits")
    review.each(
        lambda: stored.key("cpu").is_quantity("200m"),
        lambda: stored.key("memory").is_quantity("128Mi"),
    )


@criterion("at most one CPU", points=3)
def at_most(review: Review) -> None:
    """A quota limits the sum, a LimitRange each container: one of them cannot take everything."""
    trial = review.trial()
    fits, greedy = trial.create(pod("fits", "1")), trial.create(pod("greedy", "1100m"))
    review.require(
        fits.accepted == 1 and greedy.reason == "Forbidden",
        "a container with a limit of 1 CPU was to be accepted, and one with 1100m to be refused",
        wanted="up to 1 CPU accepted, and more refused",
        found=f"1 CPU: {fits.refusal or 'accepted'}; 1100m: {greedy.refusal or 'accepted'}",
        about=review.object("LimitRange", review.values["name"]).field("spec.limits"),
    )  # fmt: skip


@guard("quota left alone", costs=3)
def quota_left_alone(review: Review) -> None:
    """Whoever may change the quota has none."""
    review.unchanged("ResourceQuota", "team-quota")
