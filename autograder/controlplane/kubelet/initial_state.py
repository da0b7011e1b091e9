"""How a pod stands when its kubelet first hears of it: new, ended, or going on without a kubelet that was restarted."""

from __future__ import annotations

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.kubelet import probes
from autograder.controlplane.kubelet.container_worker import SANDBOX_TIME
from autograder.controlplane.kubelet.pod_status import TERMINAL
from autograder.controlplane.kubelet.records import ContainerWork, PodState, Stage


def initial_state(pod: Object, uid: str, node: str, machines: Machines, now: int, *, static: bool = False) -> PodState:
    """The state of a pod on a node, by what its status says and what runs of it; ``now`` in microseconds."""
    status = pod.get("status") or {}
    state = PodState(
        pod, uid, node, Stage.SETTING_UP, timestamps.parse(status["startTime"]) if status.get("startTime") else now,
        now + SANDBOX_TIME, written=status if status.get("containerStatuses") else None, static=static,
    )  # fmt: skip
    if status.get("phase") in TERMINAL:
        return state._replace(stage=Stage.FINISHED)
    sandbox = machines.sandboxes.get(uid)
    if sandbox is None:
        return state
    return state._replace(
        stage=Stage.RUNNING, sandbox_at=None, attempt=sandbox.attempt, ip=sandbox.ip,
        works=_found_running(pod, uid, machines, now), initialized=_has_initialized(status),
    )  # fmt: skip


def _found_running(pod: Object, uid: str, machines: Machines, now: int) -> dict[str, ContainerWork]:
    """What is known of containers that run: ready ones stay so until a probe says no."""
    status = pod.get("status") or {}
    statuses = (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ()))
    old = {one["name"]: one for one in statuses}
    works = {}
    for spec in (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())):
        container = machines.latest(uid, spec["name"])
        if container is not None and container.running:
            works[spec["name"]] = ContainerWork(probes=probes.resumed(spec, old.get(spec["name"], {}), now))
    return works


def _has_initialized(status: Object) -> bool:
    conditions = status.get("conditions") or ()
    return any(one["type"] == "Initialized" and one["status"] == "True" for one in conditions)
