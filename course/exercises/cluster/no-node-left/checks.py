"""Checks of workers that were forgotten after a service: they take Pods again, and nothing else has changed."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard

WORKERS = ("worker-1", "worker-2")


def deployment(review: Review) -> Subject:
    """The Deployment that lacks room."""
    return review.object("Deployment", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """A Deployment that is deleted takes its Pods with it."""
    deployment(review)


@criterion("nodes", points=3)
def nodes(review: Review) -> None:
    """A node that was taken out of service gets no new Pods until somebody says that it is back."""
    for name in WORKERS:
        node = review.object("Node", name)
        review.require(
            not node.field("spec.unschedulable").value, f"{name} takes no new Pods",
            wanted="a worker that takes Pods", found="unschedulable",
        )  # fmt: skip


@criterion("runs", points=3)
def runs(review: Review) -> None:
    """It is repaired when all the replicas run that somebody asked for."""
    review.has_ready_pods(deployment(review), 4)


@guard("deployment left alone", costs=3)
def unchanged(review: Review) -> None:
    """What is wanted was right; it was the cluster that could not do it."""
    review.unchanged("Deployment", review.values["name"])


@guard("control plane left alone", costs=3)
def control_plane(review: Review) -> None:
    """The taint of the control plane node keeps ordinary Pods away from the programs that all others need."""
    taints = review.object("Node", "control-plane").field("spec.taints").value or []
    review.require(
        any(taint["key"] == "node-role.kubernetes.io/control-plane" for taint in taints),
        "the control plane node takes Pods of everybody",
        wanted="its taint", found="no taint that keeps them away",
    )  # fmt: skip


@guard("visitors served", costs=2)
def served(review: Review) -> None:
    """Two Pods served all the time; nobody need notice the repair."""
    kept = review.kept(deployment(review))
    review.require(
        len(kept) == 2, "Pods that served visitors before have been taken away",
        wanted="both Pods that were ready", found=f"{len(kept)} of 2 are left",
    )  # fmt: skip
