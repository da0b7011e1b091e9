"""Checks of a Pod whose program gave up: it works now, and on what it was meant to."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def pod(review: Review) -> Subject:
    """The Pod that is to be repaired."""
    return review.object("Pod", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """A Pod that is deleted does no work, and nobody makes it anew."""
    pod(review)


@criterion("keeps running", points=4)
def keeps_running(review: Review) -> None:
    """The kubelet starts a container again whenever it ends; it is repaired when that is no longer necessary."""
    review.ready(pod(review))


@criterion("works on the queue", points=2)
def works(review: Review) -> None:
    """A program that runs need not do what it is meant to; its log tells."""
    subject = pod(review)
    lines = review.cluster.logs(subject.name, subject.namespace).splitlines()
    review.require(
        f"working on {review.values['queue']}" in lines, f"{subject} does not do the work that it is meant for",
        wanted=f"a program that works on {review.values['queue']}", found=lines[-1] if lines else "an empty log",
        about=subject.container(),
    )  # fmt: skip


@guard("program left alone", costs=6)
def program(review: Review) -> None:
    """Another program that says the same does not do the work."""
    subject = pod(review)
    before = review.case.before["Pod", subject.namespace, subject.name]["spec"]["containers"][0]
    container = subject.container()
    words = [*container.value.get("command", []), *container.value.get("args", [])]
    container.field("image").is_image(before["image"])
    review.require(
        words == before["command"], f"{subject} starts another program than before",
        wanted="the program that was there", found=" ".join(words) or "what the image starts by itself",
        about=container.field("command"),
    )  # fmt: skip


@guard("ledger left alone", costs=2)
def ledger(review: Review) -> None:
    """Who repairs one Pod has no reason to interrupt another."""
    review.not_replaced("Pod", "ledger")
