"""Checks of a Pod that kubectl wrote: it was printed first, and runs now."""

from __future__ import annotations

from autograder.checks import Review, Subject, criterion, gate


def as_asked(review: Review, pod: Subject) -> None:
    """The Pod, printed or stored, is what the task asks for."""
    pod.container().field("image").is_image(review.values["image"])
    pod.field("metadata.labels").key("tier").equals("backend")


@gate("printed")
def printed(review: Review) -> None:
    """A manifest that is printed can be read, changed and kept; a command leaves nothing behind."""
    review.printed("Pod", review.values["name"])


@criterion("manifest", points=2)
def manifest(review: Review) -> None:
    """What is in the manifest from the start need not be added by hand each time it is applied."""
    as_asked(review, review.printed("Pod", review.values["name"]))


@criterion("there", points=3)
def there(review: Review) -> None:
    """A dry run stores nothing; somebody has to send the manifest once more, and in earnest."""
    pod = review.object("Pod", review.values["name"])
    as_asked(review, pod)
    review.ready(pod)
