"""Whether a container's image is on the node, and pulling it if not: policies, back-off, events.

Texts and order are those of pkg/kubelet/images/image_manager.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from autograder.controlplane.apimachinery.images import parse_image
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers import images
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.kubelet.records import Backoff, ContainerWork, Waiting

#: How long it takes to learn from a registry that an image is unchanged, or does not exist.
ASKING: Final = SECOND

#: Tells an event of the container: type, reason, message.
Tell = Callable[[str, str, str], None]


def ensure(
    work: ContainerWork, container: Object, node: str, machines: Machines, now: int, tell: Tell
) -> ContainerWork:
    """One step towards having the image.  It is there when ``image_ready`` is set.

    Otherwise a pull is going on (``pulling_until``), or it has failed (``waiting``), to be tried again at
    ``not_before``.
    """
    text = container["image"]
    if work.pulling_until is not None:
        return work if now < work.pulling_until else _pulled(work, text, node, machines, now, tell)
    parsed = parse_image(text)
    if parsed is None:
        message = (
            f'Failed to apply default image tag "{text}": couldn\'t parse image name "{text}": invalid reference format'
        )
        tell("Warning", "InspectFailed", message)
        return _failed(work, Waiting("InvalidImageName", message), now + 10 * SECOND, tell)
    image = images.find(text)
    present = image is not None and machines.has_image(node, image.reference)
    policy = container.get("imagePullPolicy", "IfNotPresent")
    if present and policy != "Always":
        tell("Normal", "Pulled", f'Container image "{text}" already present on machine and can be accessed by the pod')
        return work._replace(image_ready=True)
    if policy == "Never":
        message = f'Container image "{text}" is not present with pull policy of Never'
        tell("Warning", "ErrImageNeverPull", message)
        return _failed(work, Waiting("ErrImageNeverPull", message), now + 10 * SECOND, tell)
    if work.image_backoff is not None and now - work.image_backoff.since < work.image_backoff.delay:
        message = f'Back-off pulling image "{text}"'
        tell("Normal", "BackOff", message)
        waiting = Waiting("ImagePullBackOff", f"{message}: {work.image_error}")
        return _failed(work, waiting, work.image_backoff.since + work.image_backoff.delay, tell)
    tell("Normal", "Pulling", f'Pulling image "{text}"')
    duration = image.pull_time if image is not None and not present else ASKING
    return work._replace(pulling_until=now + duration, waiting=work.waiting)


def _pulled(work: ContainerWork, text: str, node: str, machines: Machines, now: int, tell: Tell) -> ContainerWork:
    """A pull has ended: the image is there, or the registry does not have it."""
    image = images.find(text)
    assert work.pulling_until is not None
    work = work._replace(pulling_until=None)
    if image is None:
        failure = images.pull_failure(text)
        tell("Warning", "Failed", f'Failed to pull image "{text}": {failure}')
        backoff = Backoff.after(work.image_backoff, now, now)
        work = work._replace(image_backoff=backoff, image_error=f"ErrImagePull: {failure}")
        return _failed(work, Waiting("ErrImagePull", failure), now + SECOND, tell)
    known = machines.has_image(node, image.reference)
    duration = _go_duration(ASKING if known else image.pull_time)
    if not known:
        machines.add_image(node, image.reference)
    took = f"in {duration} ({duration} including waiting)"
    message = f'Successfully pulled image "{text}" {took}. Image size: {image.size} bytes.'
    tell("Normal", "Pulled", message)
    return work._replace(image_ready=True)


def _failed(work: ContainerWork, waiting: Waiting, again: int, tell: Tell) -> ContainerWork:
    tell("Warning", "Failed", f"Error: {waiting.reason}")
    return work._replace(waiting=waiting, not_before=again)


def _go_duration(micros: int) -> str:
    """``1s``, ``2.754s``, ``45ms``: as Go writes a duration cut to milliseconds."""
    millis = micros // 1000
    if millis < 1000:
        return f"{millis}ms"
    return f"{millis / 1000:.3f}".rstrip("0").rstrip(".") + "s"
