"""Checks of the capstone: the parts are there, and together they heal, update, answer and keep to the quota."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate
from autograder.clusters import request

REPLICAS = 3


def deployment(review: Review) -> Subject:
    """The program."""
    return review.object("Deployment", "web")


def address(review: Review) -> str:
    """Where the Service answers, as any Pod of the cluster calls it."""
    return f"http://web.{review.values['namespace']}.svc.cluster.local:8080/"


@gate("exists")
def exists(review: Review) -> None:
    """Without the program there is nothing to limit, to call or to update."""
    deployment(review)


@criterion("program", points=2)
def program(review: Review) -> None:
    """A Deployment says how many Pods, which, and from what."""
    owner = deployment(review)
    review.each(
        lambda: owner.field("spec.replicas").equals(REPLICAS),
        lambda: owner.field("spec.template.metadata.labels").includes({"app": "web"}),
        lambda: owner.container().field("image").is_image("nginx:1.27"),
        lambda: review.has_ready_pods(owner, REPLICAS),
    )


@criterion("quota", points=2)
def quota(review: Review) -> None:
    """A quota's keys are flat, and hold for the namespace that it is in."""
    hard = review.object("ResourceQuota", "limits").field("spec.hard")
    review.each(
        lambda: hard.key("pods").is_quantity(str(review.values["most"])),
        lambda: hard.key("cpu" if "cpu" in (hard.value or {}) else "requests.cpu").is_quantity("1"),
    )


@criterion("answers", points=3)
def answers(review: Review) -> None:
    """The Service is the one address that stays, whatever becomes of the Pods."""
    review.object("Service", "web")
    review.has_ready_pods(deployment(review), REPLICAS)
    # Called from another namespace, since the quota may have no room for the caller.
    answer = request(review.trial().cluster, address(review), "default")
    review.require(
        answer.code == 200, "the Service was called on port 8080 and gave no page",
        wanted="an answer with code 200", found=f"code {answer.code}" if answer.code else answer.body,
        about=review.object("Service", "web").field("spec.ports"),
    )  # fmt: skip


@criterion("heals and updates", points=3)
def heals_and_updates(review: Review) -> None:
    """Deployment and quota have to fit each other: a rollout needs room for a Pod more for a while."""
    owner = deployment(review)
    review.has_ready_pods(owner, REPLICAS)
    trial = review.trial()
    trial.delete(trial.pods(owner)[0])
    trial.has_ready_pods(owner, REPLICAS)
    changed = trial.set_image(owner, owner.container().field("name").value, "nginx:1.28")
    trial.ready(changed, within=60)
    images = {pod.container().field("image").value for pod in trial.ready_pods(changed)}
    trial.require(
        images == {"nginx:1.28"}, "a new version was rolled out, and the old one still runs after a minute",
        wanted="ready Pods of the new version only", found=", ".join(sorted(images)) or "no ready Pods",
        about=owner.field("spec.template"),
    )  # fmt: skip


@criterion("keeps to the quota", points=2)
def keeps_to_the_quota(review: Review) -> None:
    """The API server refuses the Pods that are too many; the Deployment itself is accepted."""
    review.object("ResourceQuota", "limits")
    owner = deployment(review)
    trial = review.trial()
    trial.scale(owner, 20)
    trial.after(30)
    count = len(trial.pods(owner))
    most = review.values["most"]
    trial.require(
        count == most, "the Deployment was scaled to 20, and not the number of Pods that the quota allows came",
        wanted=f"{most} Pods", found=f"{count} Pods", about=review.object("ResourceQuota", "limits").field("spec.hard"),
    )  # fmt: skip
