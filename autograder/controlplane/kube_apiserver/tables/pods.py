"""The table of pods: how READY, STATUS and RESTARTS follow from the states of the containers.

Source of the rules: pkg/printers/internalversion, ``printPod``.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.tables.ages import age
from autograder.controlplane.kube_apiserver.tables.printer import (
    AGE,
    NAME,
    NONE,
    Column,
    Printer,
    age_of,
    containers,
    labels,
    name_of,
    true_condition,
)

_COMPLETED: Final = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}
_ENDED: Final = tuple(_COMPLETED)


class Restarts(NamedTuple):
    """How often containers have been restarted, and when the last one before that ended."""

    times: int = 0
    last: str = ""

    def add(self, status: Object) -> Restarts:
        """With the restarts of one more container."""
        ended = ((status.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""
        later = not self.last or (bool(ended) and timestamps.parse(ended) > timestamps.parse(self.last))
        return Restarts(self.times + status.get("restartCount", 0), ended if later else self.last)

    def text(self, now: int) -> str:
        """``3 (2m ago)``, or the count alone when nothing is known of the last end."""
        return f"{self.times} ({age(self.last, now)} ago)" if self.times and self.last else str(self.times)


def cells(pod: Object, now: int) -> list[Any]:
    """The row of one pod."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    reason, ready, restarts = _state(spec, status, sidecars)
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif status.get("phase") not in _ENDED:
            reason = "Terminating"
    total = len(spec.get("containers") or ()) + len(sidecars)
    return [
        name_of(pod),
        f"{ready}/{total}",
        reason,
        restarts.text(now),
        age_of(pod, now),
        next((address.get("ip") for address in status.get("podIPs") or ()), "") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _readiness_gates(spec, status),
    ]


def conditions(pod: Object) -> list[Object]:
    """A row condition that lets kubectl tell ended pods apart."""
    phase = (pod.get("status") or {}).get("phase")
    if phase not in _COMPLETED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _COMPLETED[phase]}]


def _state(spec: Object, status: Object, sidecars: set[str]) -> tuple[str, int, Restarts]:
    """The STATUS that containers give, how many of them are ready, and the restarts that count."""
    listed = status.get("conditions") or ()
    reason = status.get("reason") or status.get("phase", "")
    if any(c.get("type") == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in listed):
        reason = "SchedulingGated"
    initializing, ready, restarts, sidecar_restarts = "", 0, Restarts(), Restarts()
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        restarts = restarts.add(container)
        sidecar = container["name"] in sidecars
        if sidecar:
            sidecar_restarts = sidecar_restarts.add(container)
        terminated = (container.get("state") or {}).get("terminated")
        if terminated and not terminated.get("exitCode"):
            continue
        if sidecar and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        initializing = _init_reason(container, index, len(spec.get("initContainers") or ()))
        break
    if initializing and not true_condition(listed, "Initialized"):
        return initializing, ready, restarts
    return _running_state(status, initializing or reason, ready, sidecar_restarts)


def _init_reason(container: Object, index: int, total: int) -> str:
    """The STATUS while the init container ``index`` of ``total`` has not succeeded."""
    state = container.get("state") or {}
    if state.get("terminated"):
        return f"Init:{_end(state['terminated'])}"
    waiting = (state.get("waiting") or {}).get("reason")
    return f"Init:{waiting}" if waiting and waiting != "PodInitializing" else f"Init:{index}/{total}"


def _running_state(status: Object, reason: str, ready: int, restarts: Restarts) -> tuple[str, int, Restarts]:
    """The STATUS once the init containers are through: the first container that is in trouble speaks."""
    running, error = False, ""
    for container in reversed(status.get("containerStatuses") or ()):
        restarts = restarts.add(container)
        state = container.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif state.get("terminated"):
            reason = _end(state["terminated"])
            if state["terminated"].get("exitCode"):
                error = reason
        elif container.get("ready") and "running" in state:
            running = True
            ready += 1
    if reason == "Completed":
        if running and true_condition(status.get("conditions") or (), "Ready"):
            reason = "Running"
        elif error or running:
            reason = error or "NotReady"
    return reason, ready, restarts


def _end(terminated: Object) -> str:
    """Why a container ended: its reason, else its signal, else its exit code."""
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _readiness_gates(spec: Object, status: Object) -> str:
    gates = spec.get("readinessGates") or ()
    listed = status.get("conditions") or ()
    met = sum(true_condition(listed, gate.get("conditionType", "")) for gate in gates)
    return f"{met}/{len(gates)}" if gates else NONE


def _template_cells(template: Object, now: int) -> list[Any]:
    inner = template.get("template") or {}
    pod_labels = labels((inner.get("metadata") or {}).get("labels"))
    return [name_of(template), *containers(inner.get("spec") or {}), pod_labels]


PRINTERS: Final = {
    ("", "Pod"): Printer(
        (
            NAME,
            Column("Ready", text="The aggregate readiness state of this pod for accepting traffic."),
            Column("Status", text="The aggregate status of the containers in this pod."),
            Column(
                "Restarts",
                text="The number of times the containers in this pod have been restarted and when the last container "
                "in this pod has restarted.",
            ),
            AGE,
            Column("IP", "core.v1.PodStatus.podIP", priority=1),
            Column("Node", "core.v1.PodSpec.nodeName", priority=1),
            Column("Nominated Node", "core.v1.PodStatus.nominatedNodeName", priority=1),
            Column("Readiness Gates", "core.v1.PodSpec.readinessGates", priority=1),
        ),
        cells,
        conditions,
    ),
    ("", "PodTemplate"): Printer(
        (
            NAME,
            Column("Containers", text="Names of each container in the template."),
            Column("Images", text="Images referenced by each container in the template."),
            Column("Pod Labels", text="The labels for the pod template."),
        ),
        _template_cells,
    ),
}
