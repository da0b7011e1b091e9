"""Checks of a Pod that opens late: it fills first, is asked whether it serves, and gets ready in the end."""

from __future__ import annotations

from datetime import datetime

from autograder.checks import Review, Subject, criterion, gate


def pod(review: Review) -> Subject:
    """The Pod that the task asks for."""
    return review.object("Pod", review.values["name"])


@gate("exists")
def exists(review: Review) -> None:
    """Kubernetes knows an object by its kind, its namespace and its name."""
    pod(review)


@criterion("fills first", points=1)
def fills_first(review: Review) -> None:
    """Init containers run one after the other, each to its end, before any other container is started."""
    pod(review).field("spec.initContainers").entry("fill").field("image").is_image("busybox:1.36")


@criterion("web", points=1)
def web(review: Review) -> None:
    """The image is the program that the container runs; the tag says which version of it."""
    pod(review).container("web").field("image").is_image(review.values["image"])


@criterion("probe", points=2)
def probe(review: Review) -> None:
    """Only a readiness probe keeps visitors away from a container that runs and does not answer."""
    container = pod(review).container("web")
    asked = container.field("readinessProbe")
    ports = {port["name"]: port["containerPort"] for port in container.value.get("ports", []) if "name" in port}
    review.each(
        lambda: asked.field("httpGet.path").equals("/"),
        lambda: asked.field("httpGet.port").satisfies(lambda port: ports.get(port, port) == 80, "80"),
        lambda: asked.field("periodSeconds").equals(5),
    )


@criterion("opens later", points=3)
def opens_later(review: Review) -> None:
    """A Pod is not ready before its last init container has ended well, however long that takes."""
    subject = pod(review)
    review.ready(subject)
    statuses = subject.refreshed().object["status"].get("initContainerStatuses", [])
    done = [status["state"].get("terminated") for status in statuses if status["name"] == "fill"]
    seconds = sum((_moment(one["finishedAt"]) - _moment(one["startedAt"])).total_seconds() for one in done if one)
    review.require(
        seconds >= review.values["seconds"], "the containers of the Pod were started too early",
        wanted=f"{review.values['seconds']} seconds of filling before web is started",
        found=f"{seconds:g} seconds of it", about=subject.field("spec"),
    )  # fmt: skip


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
