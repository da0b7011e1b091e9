"""Checks of a Service with a port on every node: whoever asks, inside or outside, is answered by the right Pods."""

from __future__ import annotations

from autograder.checks import Review, Trial, criterion, gate


def inside(review: Review) -> str:
    """The address of the Service for clients in the cluster."""
    return f"http://{review.values['name']}:{review.values['port']}"


def answers(trial: Trial, url: str) -> None:
    """A request is answered by a Pod of the Deployment."""
    owner = trial.object("Deployment", trial.values["app"])
    trial.has_ready_pods(owner, 3)
    answer = trial.request(url)
    names = [pod.name for pod in trial.pods(owner)]
    slices = trial.objects("EndpointSlice", labels={"kubernetes.io/service-name": trial.values["name"]})
    behind = sum(len(piece.object.get("endpoints") or ()) for piece in slices)
    trial.require(
        any(f"Hostname: {name}" in answer.body for name in names),
        f"{url} was not answered by one of the Pods, and the Service has found {behind} Pods",
        wanted="an answer of one of the Pods", found=answer.body.strip()[:200] or f"code {answer.code}",
        about=trial.object("Service", trial.values["name"]).field("spec"),
    )  # fmt: skip


@gate("exists")
def exists(review: Review) -> None:
    """Clients know a Service by its name."""
    review.object("Service", review.values["name"])


@criterion("inside", points=2)
def reached_inside(review: Review) -> None:
    """Clients in the cluster ask for the port of the Service; which one the program has is no matter of theirs."""
    answers(review.trial(), inside(review))


@criterion("outside", points=3)
def reached_outside(review: Review) -> None:
    """The port is open on every node, also on one without any such Pod: a Service is cross-node."""
    trial = review.trial()
    for node in trial.cluster.list("Node", ""):
        address = next(one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP")
        answers(trial, f"http://{address}:{review.values['node_port']}")


@criterion("follows", points=1)
def follows(review: Review) -> None:
    """Pods are replaced by others with other addresses; the Service finds those by their labels."""
    trial = review.trial()
    for pod in trial.pods(trial.object("Deployment", review.values["app"])):
        trial.delete(pod)
    answers(trial, inside(review))
