"""Writing to a pod's status: a condition, and the node nominated for it."""

from __future__ import annotations

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.kube_scheduler.node_info import PodInfo


def patch_condition(client: Client, pod: PodInfo, condition: Object, now: int, *, nominated: str | None = None) -> None:
    """Set a condition (type, status, reason, message) and the nominated node (None: as it is, '': none).

    Nothing is written if the pod's status says all of that already.  Raises ``StatusError``.
    """
    status: Object = {}
    known = next((one for one in pod.status.get("conditions") or () if one["type"] == condition["type"]), None)
    if known is None or any(known.get(key) != value for key, value in condition.items()):
        since = timestamps.time(now)
        if known is not None and known["status"] == condition["status"]:
            since = known.get("lastTransitionTime", since)
        generation = pod.object["metadata"].get("generation")
        observed = {"observedGeneration": generation} if generation else {}
        status["conditions"] = [condition | observed | {"lastProbeTime": None, "lastTransitionTime": since}]
    if nominated is not None and nominated != pod.nominated_node:
        status["nominatedNodeName"] = nominated or None
    if status:
        patch = {"metadata": {"uid": pod.uid}, "status": status}
        client.patch(PODS, pod.namespace, pod.name, patch, "status")
