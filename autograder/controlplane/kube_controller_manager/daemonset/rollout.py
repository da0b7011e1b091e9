"""A rolling update of a DaemonSet: which pods go now, and which nodes get another one, so that few are without.

Source: pkg/controller/daemon/update.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from autograder.controlplane.apimachinery import intstr
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager import history
from autograder.controlplane.kube_controller_manager import pods as podlib

PodsByNode = Mapping[str, list[Object]]
#: Nodes that get a pod, and pods that go.
Step = tuple[list[str], list[Object]]


def next_step(daemon_set: Object, digest: str, by_node: PodsByNode, runnable: Set[str], now: int) -> Step:
    """Replace old pods as far as ``maxUnavailable`` or ``maxSurge`` allow; ``digest`` is the hash of new ones.

    ``runnable`` are the nodes that may have a pod.
    """
    wait = daemon_set["spec"].get("minReadySeconds", 0)
    surge, unavailable = _limits(daemon_set, len(runnable))

    def available(pod: Object) -> bool:
        return podlib.is_available(pod, wait, now)

    if surge == 0:
        return _in_place(digest, by_node, unavailable, available)
    return _by_surge(digest, by_node, runnable, surge, available)


def surplus(daemon_set: Object, running: list[Object], digest: str, now: int) -> list[Object]:
    """Of the pods on one node an old and a new one may stay, until the new one has taken over."""
    new, old = _split(running, digest)
    found = new[1:] + old[1:]
    if new and old:
        wait = daemon_set["spec"].get("minReadySeconds", 0)
        if not podlib.is_ready(old[0]) or podlib.is_available(new[0], wait, now):
            found.append(old[0])
    return found


def _in_place(digest: str, by_node: PodsByNode, unavailable: int, available: Callable[[Object], bool]) -> Step:
    missing = 0
    broken: list[Object] = []
    healthy: list[Object] = []
    for _, pods in sorted(by_node.items()):
        new, old = _split(pods, digest)
        if len(new) + len(old) != 1:
            missing += 1
        elif new:
            missing += not available(new[0])
        elif available(old[0]):
            healthy.append(old[0])
        else:
            broken.append(old[0])
            missing += 1
    return [], broken + healthy[: max(0, unavailable - missing)]


def _by_surge(
    digest: str, by_node: PodsByNode, runnable: Set[str], surge: int, available: Callable[[Object], bool]
) -> Step:
    surging = 0
    replaced: list[Object] = []
    broken: list[str] = []
    candidates: list[str] = []
    for node, pods in sorted(by_node.items()):
        new, old = _split(pods, digest)
        if len(new) > 1 or len(old) > 1:
            surging += 1
        elif old and new:
            if available(new[0]):
                replaced.append(old[0])
            else:
                surging += 1
        elif old and node not in runnable:
            replaced.append(old[0])
        elif old:
            (candidates if available(old[0]) else broken).append(node)
    return broken + candidates[: max(0, surge - surging)], replaced


def is_rolling(daemon_set: Object) -> bool:
    """Whether old pods are replaced; else they stay until somebody deletes them."""
    kind: str = daemon_set["spec"].get("updateStrategy", {}).get("type", "RollingUpdate")
    return kind == "RollingUpdate"


def max_surge(daemon_set: Object, desired: int) -> int:
    """How many of the desired nodes may have a new pod beside the old one."""
    rolling = daemon_set["spec"].get("updateStrategy", {}).get("rollingUpdate", {})
    return intstr.scaled(rolling.get("maxSurge", 0), desired, round_up=True) if is_rolling(daemon_set) else 0


def _limits(daemon_set: Object, desired: int) -> tuple[int, int]:
    """``maxSurge`` and ``maxUnavailable`` as numbers; not both are 0."""
    rolling = daemon_set["spec"].get("updateStrategy", {}).get("rollingUpdate", {})
    surge = max_surge(daemon_set, desired)
    unavailable = intstr.scaled(rolling.get("maxUnavailable", 1), desired, round_up=True)
    return surge, unavailable or (0 if surge else 1)


def _split(pods: list[Object], digest: str) -> tuple[list[Object], list[Object]]:
    """The new and the old pods among those that stay."""
    staying = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    new = [pod for pod in staying if revision_of(pod) == digest]
    old = [pod for pod in staying if revision_of(pod) != digest]
    return new, old


def revision_of(pod: Object) -> str:
    """The hash of the template that the pod was made from."""
    digest: str = pod["metadata"].get("labels", {}).get(history.HASH_LABEL, "")
    return digest
