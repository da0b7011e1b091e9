"""Checks of the quota: what it allows, and that the API server keeps to it."""

from __future__ import annotations

from autograder.checks import Field, Review, Trial, criterion, gate
from autograder.clusters import Object


def hard(review: Review) -> Field:
    """What the quota allows."""
    return review.object("ResourceQuota", review.values["name"]).field("spec.hard")


def requested(review: Review, resource: str) -> Field:
    """What the quota allows as requests; ``cpu`` is another word for ``requests.cpu``."""
    amounts = hard(review)
    return amounts.key(resource if resource in (amounts.value or {}) else f"requests.{resource}")


def small_pod(name: str, *, requests: bool = True) -> Object:
    """A Pod that uses little of everything, so that only the number of Pods can stop it."""
    amounts = {"cpu": "10m", "memory": "8Mi"}
    resources = {"requests": amounts, "limits": amounts} if requests else {}
    containers = [{"name": "main", "image": "nginx:1.27", "resources": resources}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}


def in_force(review: Review) -> Trial:
    """A copy of the cluster in which the quota has been counted once and is in force."""
    trial = review.trial()
    quota = trial.object("ResourceQuota", review.values["name"])
    trial.eventually("the quota is in force", lambda: "hard" in quota.refreshed().object["status"], stable=0)
    return trial


@gate("exists")
def exists(review: Review) -> None:
    """A quota holds for the namespace that it is in, and for no other."""
    review.object("ResourceQuota", review.values["name"])


@criterion("number of Pods", points=1)
def pods(review: Review) -> None:
    """The number of Pods is limited apart from what they use, since each costs the cluster something."""
    hard(review).key("pods").is_quantity(str(review.values["pods"]))


@criterion("requests", points=1)
def requests(review: Review) -> None:
    """Requests are what the scheduler sets aside on the nodes: the sum is what the team may reserve."""
    review.each(
        lambda: requested(review, "cpu").is_quantity("4"),
        lambda: requested(review, "memory").is_quantity("2Gi"),
    )


@criterion("limits", points=1)
def limits(review: Review) -> None:
    """Limits are what containers may use at the most: the sum is what the team can take from others at its peak."""
    review.each(
        lambda: hard(review).key("limits.cpu").is_quantity("8"),
        lambda: hard(review).key("limits.memory").is_quantity("4Gi"),
    )


@criterion("refuses one Pod too many", points=2)
def refuses_one_too_many(review: Review) -> None:
    """A quota is checked when an object is created: the API server says no, and nothing is started."""
    allowed = review.values["pods"]
    burst = in_force(review).burst(small_pod("burst"), allowed + 1)
    review.require(
        burst.accepted == allowed and burst.reason == "Forbidden",
        f"{allowed + 1} small Pods were created one after the other, and {burst.accepted} were accepted",
        wanted=f"{allowed} Pods accepted and the next one refused",
        found=f"{burst.accepted} accepted" + (f", then: {burst.refusal}" if burst.refusal else ", none refused"),
        about=hard(review).key("pods"),
    )  # fmt: skip


@criterion("refuses a Pod without requests", points=1)
def refuses_without_requests(review: Review) -> None:
    """Once a quota counts requests and limits, every Pod has to state them: what is not said cannot be counted."""
    trial = in_force(review)
    fits = trial.create(small_pod("stated"))
    silent = trial.create(small_pod("silent", requests=False))
    review.require(
        fits.accepted == 1 and silent.reason == "Forbidden",
        "a Pod without requests and limits was to be refused, and one that states them to be accepted",
        wanted="the Pod that does not say what it needs refused",
        found=f"without requests: {silent.refusal or 'accepted'}; with requests: {fits.refusal or 'accepted'}",
        about=hard(review),
    )  # fmt: skip
