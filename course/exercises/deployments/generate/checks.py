"""Checks of a Deployment that kubectl wrote: it was printed first, and is there now."""

from __future__ import annotations

from autograder.checks import Review, criterion, gate


@gate("printed")
def printed(review: Review) -> None:
    """A manifest that is printed can be read, changed and kept; a command leaves nothing behind."""
    review.printed("Deployment", review.values["name"])


@criterion("manifest", points=2)
def manifest(review: Review) -> None:
    """What kubectl prints is what it would send."""
    subject = review.printed("Deployment", review.values["name"])
    subject.field("spec.replicas").equals(review.values["replicas"])
    subject.container().field("image").is_image(review.values["image"])


@criterion("there", points=3)
def there(review: Review) -> None:
    """A dry run stores nothing; somebody has to apply the manifest."""
    owner = review.object("Deployment", review.values["name"])
    owner.field("spec.replicas").equals(review.values["replicas"])
    owner.container().field("image").is_image(review.values["image"])
    review.has_ready_pods(owner, review.values["replicas"])
