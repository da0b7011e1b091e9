"""Checks of a Service that kubectl wrote: it was printed first, and leads to the Pods now."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate


def ports(service: Subject) -> None:
    """The one port of the Service is the one that the task asks for."""
    service.field("spec.ports").satisfies(
        lambda found: [(one["port"], one.get("targetPort")) for one in found] == [(service.review.values["port"], 80)],
        f"port {service.review.values['port']}, which leads to port 80",
    )  # fmt: skip


@gate("printed")
def printed(review: Review) -> None:
    """A manifest that is printed can be read, changed and kept; a command leaves nothing behind."""
    review.printed("Service", review.values["name"])


@criterion("manifest", points=2)
def manifest(review: Review) -> None:
    """What kubectl prints is what it would send."""
    ports(review.printed("Service", review.values["name"]))


@criterion("there", points=3)
def there(review: Review) -> None:
    """A dry run stores nothing; and a Service is right when somebody behind it answers."""
    service = review.object("Service", review.values["name"])
    service.field("spec.type").equals("ClusterIP")
    trial = review.trial()
    trial.has_ready_pods(trial.object("Deployment", review.values["app"]), 2)
    url = f"http://{review.values['name']}:{review.values['port']}"
    answer = trial.request(url)
    review.require(
        answer.code == 200, f"nobody answers at {url}", wanted="an answer of a Pod",
        found=answer.body.strip()[:200], about=service.field("spec"),
    )  # fmt: skip
