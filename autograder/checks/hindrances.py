"""What of a real cluster may keep a right answer from working: then nothing is said about the answer.

An image that the exercise itself uses and that cannot be pulled, a node that is slow to start containers, a scheduler
or controller that has not looked yet, nodes full of other people's Pods: an embedded cluster has none of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from autograder.checks.crowding import is_crowded_out
from autograder.checks.health import last_warning
from autograder.checks.meaning import same_image
from autograder.clusters import Cluster, Object

PULLING_FAILS = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
STARTING = frozenset({"ContainerCreating", "PodInitializing"})
#: Kinds whose controllers say up to which generation they have looked.
OBSERVED = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")


def hindrances(cluster: Cluster, images: Collection[str]) -> list[str]:
    """What keeps Pods from running that is not the answer's doing, in words; ``images`` are those that are right."""
    pods = cluster.list("Pod", "")
    found = [reason for pod in pods for reason in _of_pod(cluster, pod, images)]
    waiting = [pod for pod in pods if _is_unschedulable(pod)]
    nodes = cluster.list("Node") if waiting else []
    for pod in waiting:
        if is_crowded_out(pod, pods, nodes):
            found.append(f"the nodes have no room for Pod {pod['metadata']['name']} beside the work of others")
    return found + [reason for kind in OBSERVED for reason in _of_controller(kind, cluster.list(kind, ""))]


def _is_unschedulable(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    refused = any(one["type"] == "PodScheduled" and one.get("reason") == "Unschedulable" for one in conditions)
    return refused and not pod["spec"].get("nodeName") and "deletionTimestamp" not in pod["metadata"]


def _of_controller(kind: str, objects: list[Object]) -> Iterator[str]:
    for obj in objects:
        seen, meta = (obj.get("status") or {}).get("observedGeneration", 0), obj["metadata"]
        if seen < meta.get("generation", 0) and "deletionTimestamp" not in meta:
            yield f"no controller has looked at {kind} {meta['name']} yet"


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
