"""The nodes of a cluster, the Pods on them, and who owns these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from autograder.notebook.pictures.picture import Picture
from autograder.notebook.pictures.svg import GREEN, GREY, PALETTE, VERMILION, Drawing

Object = dict[str, Any]

SYSTEM: Final = "kube-system"
NOWHERE: Final = "no node yet"
ROLE: Final = "node-role.kubernetes.io/"
_COLUMN: Final = 236
_GAP: Final = 12
_POD: Final = 40
_SYSTEM_POD: Final = 20


def draw(nodes: Sequence[Object], pods: Iterable[Object], replicasets: Iterable[Object]) -> Picture:
    """A column for each node and a box for each Pod; Pods of the cluster itself are small."""
    owners = {each["metadata"]["uid"]: each for each in replicasets}
    places: dict[str, list[Object]] = {node["metadata"]["name"]: [] for node in nodes}
    for pod in sorted(pods, key=_order):
        places.setdefault(pod["spec"].get("nodeName") or NOWHERE, []).append(pod)
    colours: dict[str, str] = {}
    for pod in (pod for there in places.values() for pod in there if not _is_system(pod)):
        colours.setdefault(owner(pod, owners), PALETTE[len(colours) % len(PALETTE)])
    known = {node["metadata"]["name"]: node for node in nodes}
    drawing, lines = Drawing(), []
    for number, (name, there) in enumerate(places.items()):
        state = node_state(known[name]) if name in known else ""
        lines.append(f"{name}{f' ({state})' if state else ''}:{'' if there else ' no Pods'}")
        lines += [f"  {_place(pod)}  {pod_state(pod)}  of {owner(pod, owners)}" for pod in there]
        _column(drawing, number * (_COLUMN + _GAP) + 1, (name, state), there, owners, colours)
    count = sum(map(len, places.values()))
    return Picture(f"The cluster: {len(nodes)} nodes, {count} Pods", tuple(lines), drawing)


def _column(
    drawing: Drawing, x: float, head: tuple[str, str], pods: Sequence[Object], owners: Mapping[str, Object],
    colours: Mapping[str, str],
) -> None:  # fmt: skip
    name, state = head
    heights = [_SYSTEM_POD if _is_system(pod) else _POD for pod in pods]
    colour = VERMILION if "NotReady" in state or name == NOWHERE else GREEN if state else GREY
    drawing.box(x, 1, _COLUMN, 52 + sum(heights) + 5 * len(pods), colour, strength=0.05, dashed=colour == VERMILION)
    drawing.text(x + 10, 20, name, size=14, bold=True, width=_COLUMN - 20)
    drawing.text(x + 10, 37, state or "waiting for the scheduler", faint=True, width=_COLUMN - 20)
    y = 47.0
    for pod, height in zip(pods, heights, strict=True):
        whose, small = owner(pod, owners), _is_system(pod)
        well = pod_state(pod) in ("Running", "Completed")
        colour = GREY if small else colours[whose]
        drawing.box(x + 8, y, _COLUMN - 16, height, colour, strength=0.08 if small else 0.2, dashed=not well)
        if small:
            state = "" if well else f" · {pod_state(pod)}"
            drawing.text(x + 15, y + 14, f"{pod['metadata']['name']}{state}", size=11, faint=True, width=_COLUMN - 30)
        else:
            drawing.text(x + 15, y + 16, _place(pod), bold=True, width=_COLUMN - 30)
            drawing.text(x + 15, y + 32, f"{pod_state(pod)} · {whose}", size=11, width=_COLUMN - 30)
        y += height + 5


def owner(pod: Object, replicasets: Mapping[str, Object]) -> str:
    """What a Pod belongs to in the end: its Deployment rather than its ReplicaSet; ``nobody``."""
    reference = _controller(pod)
    above = _controller(replicasets.get(reference["uid"], {})) if reference else None
    whose = above or reference
    return f"{whose['kind']} {whose['name']}" if whose else "nobody"


def pod_state(pod: Object) -> str:
    """One word for how a Pod is, as ``kubectl get`` puts it: why a container waits says more than the phase."""
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if status.get("reason"):
        return str(status["reason"])
    for container in status.get("containerStatuses", ()):
        for state in ("waiting", "terminated"):
            reason = container.get("state", {}).get(state, {}).get("reason")
            if reason:
                return str(reason)
    if status.get("phase") == "Running" and not all(each["ready"] for each in status.get("containerStatuses", ())):
        return "Running, not ready"
    return str(status.get("phase", "Unknown"))


def node_state(node: Object) -> str:
    """Whether a node is ready, whether it takes new Pods, and its roles."""
    conditions = {each["type"]: each["status"] for each in node.get("status", {}).get("conditions", ())}
    roles = [key.removeprefix(ROLE) for key in node["metadata"].get("labels", {}) if key.startswith(ROLE)]
    words = ["Ready" if conditions.get("Ready") == "True" else "NotReady"]
    words += ["SchedulingDisabled"] if node.get("spec", {}).get("unschedulable") else []
    taints = [each for each in node.get("spec", {}).get("taints", ()) if each["key"].startswith(ROLE)]
    return ", ".join([*words, *roles, *(["tainted"] if taints else [])])


def _controller(obj: Mapping[str, Any]) -> Object | None:
    references = obj.get("metadata", {}).get("ownerReferences") or ()
    return next((each for each in references if each.get("controller")), None)


def _is_system(pod: Object) -> bool:
    return bool(pod["metadata"]["namespace"] == SYSTEM)


def _order(pod: Object) -> tuple[bool, str, str]:
    return _is_system(pod), pod["metadata"]["namespace"], pod["metadata"]["name"]


def _place(pod: Object) -> str:
    meta = pod["metadata"]
    return meta["name"] if meta["namespace"] == "default" else f"{meta['namespace']}/{meta['name']}"
