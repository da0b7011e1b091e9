"""Checks of a Service that had one Pod too many behind it: it is out, and nothing was sacrificed for it."""

from __future__ import annotations

from math import ceil, log

from autograder.checks import Review, criterion, gate, guard

#: How often one endpoint that cannot answer may be missed by chance.
MISSED = 0.001


@gate("exists")
def exists(review: Review) -> None:
    """Visitors need the Service and its Pods, and somebody else needs his."""
    review.object("Pod", review.values["other"])
    review.object("Service", review.values["name"])
    review.object("Deployment", review.values["name"])


@criterion("only the right Pods", points=4)
def only_the_right(review: Review) -> None:
    """A Service sends requests to whoever has the labels, whether he can answer or not."""
    owner = review.object("Deployment", review.values["name"])
    review.ready(owner)
    ready = {pod.field("status.podIP").value: pod.name for pod in review.pods(owner)}
    found = endpoints(review)
    review.require(
        found == set(ready), "behind the Service are not just the Pods of the Deployment",
        wanted="only Pods of the Deployment, and all of them",
        found=f"{len(found)} endpoints, {len(found & set(ready))} of them of the Deployment",
    )  # fmt: skip


@criterion("answers", points=2)
def answers(review: Review) -> None:
    """The repair is done when each request is answered, and not only most of them."""
    requests = ceil(log(MISSED) / log(1 - 1 / max(2, len(endpoints(review)))))
    trial = review.trial()
    answered = sum(trial.request(f"http://{review.values['name']}").code == 200 for _ in range(requests))
    review.require(
        answered == requests, f"of {requests} requests to http://{review.values['name']} some were not answered",
        wanted="an answer to each", found=f"{answered} answers",
    )  # fmt: skip


@guard("Pod of somebody else", costs=3)
def not_sacrificed(review: Review) -> None:
    """It was in the wrong place, and that is no reason to replace it."""
    review.not_replaced("Pod", review.values["other"])
    review.ready(review.object("Pod", review.values["other"]))


@guard("Deployment left alone", costs=2)
def left_alone(review: Review) -> None:
    """Nothing is wrong with the Deployment; its Pods serve visitors all the time."""
    review.unchanged("Deployment", review.values["name"])
    kept = review.kept(review.object("Deployment", review.values["name"]))
    review.require(
        len(kept) == 2, "Pods that served visitors have been taken away",
        wanted="both Pods that were ready", found=f"{len(kept)} of 2 are left",
    )  # fmt: skip


def endpoints(review: Review) -> set[str]:
    """The addresses to which the Service sends requests."""
    slices = review.objects("EndpointSlice", labels={"kubernetes.io/service-name": review.values["name"]})
    return {
        address for piece in slices for endpoint in piece.object.get("endpoints") or ()
        for address in endpoint["addresses"]
    }  # fmt: skip
