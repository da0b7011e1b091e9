"""Checks of the Deployment that leaves a dead node soon: what it tolerates, and what happens when one dies."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard

NODE = "worker-1"


def deployment(review: Review) -> Subject:
    """The Deployment that is to be changed."""
    return review.object("Deployment", review.values["name"])


def tolerated(review: Review, key: str) -> None:
    """The template tolerates a taint for just the time that was asked for."""
    wanted = review.values["seconds"]
    tolerations = deployment(review).object["spec"]["template"]["spec"].get("tolerations") or []
    times = [one.get("tolerationSeconds") for one in tolerations if one.get("key") == key]
    review.require(
        times == [wanted], f"the Pods do not tolerate {key} for that time",
        wanted=f"{wanted} seconds", found=", ".join(map(said, times)) or "no toleration in the template",
    )  # fmt: skip


def said(seconds: int | None) -> str:
    """A time in a message; without one a taint is tolerated for ever."""
    return "for ever" if seconds is None else f"{seconds} seconds"


@gate("exists")
def exists(review: Review) -> None:
    """There is a Deployment to look at."""
    deployment(review)


@criterion("unreachable", points=2)
def unreachable(review: Review) -> None:
    """A node that no longer reports gets this taint; the toleration says for how long its Pods stay."""
    tolerated(review, "node.kubernetes.io/unreachable")


@criterion("not ready", points=1)
def not_ready(review: Review) -> None:
    """A node that reports itself as broken gets another taint, and other Pods must leave that one too."""
    tolerated(review, "node.kubernetes.io/not-ready")


@criterion("leaves in time", points=4)
def leaves(review: Review) -> None:
    """A node is given up after 50 seconds without a report; then the time of the toleration runs."""
    trial = review.trial()
    owner = deployment(trial)
    trial.has_ready_pods(owner, 4)
    trial.cluster.power_off(NODE)
    trial.after(120)
    left = [pod for pod in trial.ready_pods(owner) if pod.object["spec"]["nodeName"] != NODE]
    trial.require(
        len(left) == 4, f"two minutes after the power of {NODE} was cut, Pods are missing",
        wanted="4 ready Pods on other nodes", found=f"{len(left)} ready Pods there",
    )  # fmt: skip


@guard("left as it was", costs=2)
def as_it_was(review: Review) -> None:
    """A repair changes what is asked for and nothing else."""
    owner = deployment(review)
    owner.field("spec.replicas").equals(4)
    owner.container("web").field("image").is_image("nginx:1.27")
