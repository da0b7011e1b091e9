"""What of a real cluster may keep a right answer from working: then nothing is said about the answer.

An image that the exercise itself uses and that cannot be pulled, a node that is slow to start containers, a scheduler
that has not looked yet: an embedded cluster has none of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from autograder.checks.health import last_warning
from autograder.checks.meaning import same_image
from autograder.clusters import Cluster, Object

PULLING_FAILS = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
STARTING = frozenset({"ContainerCreating", "PodInitializing"})


def hindrances(cluster: Cluster, images: Collection[str]) -> list[str]:
    """What keeps Pods from running that is not the answer's doing, in words; ``images`` are those that are right."""
    return [reason for pod in cluster.list("Pod", "") for reason in _of_pod(cluster, pod, images)]


def _of_pod(cluster: Cluster, pod: Object, images: Collection[str]) -> Iterator[str]:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    if "deletionTimestamp" in pod["metadata"] or status.get("phase") != "Pending":
        return
    if not pod["spec"].get("nodeName") and not status.get("conditions"):
        yield f"no scheduler has looked at Pod {name} yet"
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group) or ():
            reason = container.get("state", {}).get("waiting", {}).get("reason", "")
            image = container.get("image", "")
            if reason in PULLING_FAILS and any(same_image(image, known) for known in images):
                yield f"the image {image}, which the exercise uses itself, cannot be pulled here ({reason})"
            elif reason in STARTING and not any(last_warning(cluster, pod)):
                yield f"Pod {name} is still being started on node {pod['spec'].get('nodeName')}"
