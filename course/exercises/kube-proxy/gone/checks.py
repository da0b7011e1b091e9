"""Checks of kube-proxy that is back on every node: the Service is reached again, and nothing else was touched."""

from __future__ import annotations

from autograder.checks import Review, criterion, gate, guard

SYSTEM = "kube-system"


@gate("exists")
def exists(review: Review) -> None:
    """What is deleted cannot be repaired."""
    review.object("Service", review.values["name"])
    review.object("Deployment", review.values["name"])
    review.object("DaemonSet", "kube-proxy", SYSTEM)


@criterion("on every node", points=3)
def everywhere(review: Review) -> None:
    """A connection can begin on any node, so each has to have the rules."""
    nodes = len(review.cluster.list("Node", ""))
    review.has_ready_pods(review.object("DaemonSet", "kube-proxy", SYSTEM), nodes)


@criterion("reached", points=4)
def reached(review: Review) -> None:
    """What counts is that clients are answered."""
    answer = review.trial().request(f"http://{review.values['name']}")
    review.require(
        answer.code == 200, f"http://{review.values['name']} is not answered",
        wanted="an answer", found=answer.body.strip()[:200],
    )  # fmt: skip


@guard("left alone", costs=3)
def left_alone(review: Review) -> None:
    """The Service and its Pods are well: whoever makes them anew only hides what is wrong."""
    review.unchanged("Service", review.values["name"])
    review.unchanged("Deployment", review.values["name"])
    kept = review.kept(review.object("Deployment", review.values["name"]))
    review.require(
        len(kept) == 2, "Pods that were ready have been taken away",
        wanted="both Pods that were ready", found=f"{len(kept)} of 2 are left",
    )  # fmt: skip
