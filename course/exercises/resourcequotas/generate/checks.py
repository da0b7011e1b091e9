"""Checks of a quota that kubectl wrote: it was printed first, and holds now."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate
from autograder.clusters import Object


def allows(review: Review, quota: Subject, resource: str, amount: str) -> None:
    """The quota allows so much of a resource; ``cpu`` is another word for ``requests.cpu``."""
    hard = quota.field("spec.hard")
    short = resource.removeprefix("requests.")
    stated = hard.key(short) if short in (hard.value or {}) else hard.key(resource)
    stated.is_quantity(amount)


def as_asked(review: Review, quota: Subject) -> None:
    """The quota, printed or stored, is what the task asks for."""
    review.each(
        lambda: allows(review, quota, "pods", str(review.values["pods"])),
        lambda: allows(review, quota, "requests.cpu", "4"),
        lambda: allows(review, quota, "requests.memory", "8Gi"),
    )


@gate("printed")
def printed(review: Review) -> None:
    """A manifest that is printed can be read, changed and kept; a command leaves nothing behind."""
    review.printed("ResourceQuota", review.values["name"])


@criterion("manifest", points=2)
def manifest(review: Review) -> None:
    """What kubectl prints is what it would send."""
    as_asked(review, review.printed("ResourceQuota", review.values["name"]))


@criterion("there", points=1)
def there(review: Review) -> None:
    """A dry run stores nothing; somebody has to apply the manifest."""
    as_asked(review, review.object("ResourceQuota", review.values["name"]))


@criterion("in force", points=2)
def in_force(review: Review) -> None:
    """A quota is checked when something is created: the API server says no to one Pod too many."""
    trial = review.trial()
    quota = trial.object("ResourceQuota", review.values["name"])
    trial.eventually("the quota is counted", lambda: "hard" in quota.refreshed().object["status"], stable=0)
    allowed = review.values["pods"]
    burst = trial.burst(small_pod("burst"), allowed + 1)
    review.require(
        burst.accepted == allowed and burst.reason == "Forbidden",
        f"{allowed + 1} small Pods were created one after the other, and {burst.accepted} were accepted",
        wanted=f"{allowed} Pods accepted and the next one refused", found=f"{burst.accepted} accepted",
    )  # fmt: skip


def small_pod(name: str) -> Object:
    """A Pod that uses little of everything, so that only the number of Pods can stop it."""
    amounts = {"cpu": "10m", "memory": "8Mi"}
    containers = [{"name": "main", "image": "nginx:1.27", "resources": {"requests": amounts, "limits": amounts}}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}
