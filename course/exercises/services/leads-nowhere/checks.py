"""Checks of a repaired Service: it finds its Pods, and clients get their answers."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def service(review: Review) -> Subject:
    """The Service that is to be repaired."""
    return review.object("Service", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """Clients know a Service by its name."""
    service(review)


@criterion("finds the Pods", points=3)
def finds(review: Review) -> None:
    """A Service finds Pods by their labels, and whom it has found stands in its EndpointSlices."""
    trial = review.trial()
    owner = trial.object("Deployment", review.values["app"])
    trial.has_ready_pods(owner, 2)
    wanted = sorted(pod.field("status.podIP").value for pod in trial.pods(owner))
    slices = trial.objects("EndpointSlice", labels={"kubernetes.io/service-name": review.values["name"]})
    found = sorted(
        address for piece in slices for endpoint in piece.object.get("endpoints") or ()
        for address in endpoint["addresses"]
    )  # fmt: skip
    review.require(
        found == wanted, f"the Service has found {len(found)} Pods, and not the 2 of the Deployment",
        wanted="2 endpoints", found=f"{len(found)} endpoints", about=service(review).field("spec.selector"),
    )  # fmt: skip


@criterion("answers", points=3)
def answers(review: Review) -> None:
    """Clients ask for the port of the Service, and it leads to the one on which the program listens."""
    trial = review.trial()
    trial.has_ready_pods(trial.object("Deployment", review.values["app"]), 2)
    answer = trial.request(f"http://{review.values['name']}")
    review.require(
        answer.code == 200 and f"{review.values['app']} speaks" in answer.body,
        f"http://{review.values['name']} was not answered by the program", wanted="an answer of the program",
        found=answer.body.strip()[:200], about=service(review).field("spec.ports"),
    )  # fmt: skip


@guard("type", costs=1)
def stays_inside(review: Review) -> None:
    """A repair changes what is broken and nothing else: nobody asked to open this program to the outside."""
    service(review).field("spec.type").equals("ClusterIP")


@guard("Deployment left alone", costs=2)
def left_alone(review: Review) -> None:
    """The Pods are well; whoever changes them to fit the Service replaces what works."""
    review.unchanged("Deployment", review.values["app"])
