"""Checks of a Deployment whose containers could not be made: what they wait for is there, with the right values."""

from __future__ import annotations

from base64 import b64encode

from autograder.checks import Review, Subject, criterion, gate, guard


def deployment(review: Review) -> Subject:
    """The Deployment whose Pods waited."""
    return review.object("Deployment", review.values["name"])


def is_set(review: Review, kind: str, ending: str, key: str, value: str) -> None:
    """What the Pods refer to has this value.  The Deployment knows the name, and the student is to find it there."""
    name = f"{review.values['name']}-{ending}"
    found = [one.object.get("data", {}).get(key) for one in review.objects(kind) if one.name == name]
    review.require(
        bool(found), f"the {kind} that the Pods refer to is not there",
        wanted=f"the {kind} of that name", found=f"no such {kind}",
    )  # fmt: skip
    review.require(
        found == [value], f"{key} in the {kind} is not what it shall be",
        wanted="the value that stands in the task", found=f"no {key}" if found == [None] else "another value",
    )  # fmt: skip


@gate("exists")
def exists(review: Review) -> None:
    """What is missing is to be added; nothing has to go."""
    review.not_replaced("Deployment", review.values["name"])


@criterion("runs", points=4)
def runs(review: Review) -> None:
    """The kubelet tries again and again; a container is made as soon as all that it refers to is there."""
    review.has_ready_pods(deployment(review), 2)


@criterion("currency", points=1)
def currency(review: Review) -> None:
    """A program that starts with the wrong settings is not repaired."""
    is_set(review, "ConfigMap", "settings", "CURRENCY", "EUR")


@criterion("password", points=1)
def password(review: Review) -> None:
    """Passwords are kept in Secrets, in base64, which hides nothing from whoever may read them."""
    is_set(review, "Secret", "secret", "password", b64encode(b"sesame").decode())


@guard("Deployment left alone", costs=3)
def left_alone(review: Review) -> None:
    """The Deployment asks for what it needs."""
    review.unchanged("Deployment", review.values["name"])
