"""Checks of a manifest that was refused at several steps: it is taken now, and is what it was meant to be."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate, guard


def pod(review: Review) -> Subject:
    """The Pod that was asked for."""
    return review.object("Pod", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """What the API server refuses is stored nowhere."""
    pod(review)


@criterion("pull policy", points=1)
def pull_policy(review: Review) -> None:
    """A field with a typo is refused: ignored in silence, it would do harm later."""
    pod(review).container("server").field("imagePullPolicy").equals("IfNotPresent")


@criterion("restart policy", points=1)
def restart_policy(review: Review) -> None:
    """Of a few words one is to be chosen, and they are compared letter by letter, capitals and all."""
    pod(review).field("spec.restartPolicy").equals("Always")


@criterion("port", points=1)
def port(review: Review) -> None:
    """A container states as numbers at which ports it listens; a number in quotes is a text."""
    ports = pod(review).container("server").field("ports").value or []
    numbers = [one["containerPort"] for one in ports]
    review.require(
        numbers == [80], "the container does not state the port that it listens on",
        wanted="80", found=", ".join(map(str, numbers)) or "none",
    )  # fmt: skip


@criterion("runs", points=3)
def runs(review: Review) -> None:
    """That the API server takes it is only the beginning."""
    review.ready(pod(review))
    trial = review.trial()
    trial.after(60)
    trial.ready(trial.object("Pod", review.values["name"]))


@guard("the rest left alone", costs=2)
def rest(review: Review) -> None:
    """A repair changes what is broken and nothing else."""
    pod(review).container("server").field("image").is_image("nginx:1.27")
    pod(review).field("metadata.labels").includes({"tier": "front"})
