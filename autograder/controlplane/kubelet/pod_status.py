"""The status of a pod, from what the runtime and the kubelet know: phase, conditions, container statuses.

Rules and texts are those of pkg/kubelet/kubelet_pods.go and pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.containers.records import Container, ContainerState
from autograder.controlplane.kubelet import resources
from autograder.controlplane.kubelet.records import ContainerWork, PodState, Stage

#: The conditions that a kubelet writes, in its order.
CONDITIONS: Final = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
#: Those that say what keeps a pod from the resources that it was given anew.
RESIZE_CONDITIONS: Final = ("PodResizePending", "PodResizeInProgress")
TERMINAL: Final = ("Succeeded", "Failed")
MESSAGE_LIMIT: Final = 4096


def is_sidecar(container: Object) -> bool:
    """Whether an init container goes on running beside the others."""
    return container.get("restartPolicy") == "Always"


def should_restart(container: Object, spec: Object, exit_code: int) -> bool:
    """Whether a container that ended is started again, by its own or its pod's policy."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        inside = exit_code in codes.get("values", ())
        if inside == (codes.get("operator") == "In"):
            return True
    policy = container.get("restartPolicy") or spec.get("restartPolicy", "Always")
    return bool(policy == "Always" or (policy == "OnFailure" and exit_code != 0))


def generate(state: PodState, machines: Machines, now: int, host_ip: str) -> Object:
    """The status of a pod as it is now."""
    pod, spec = state.pod, state.pod["spec"]
    statuses = [container_status(container, state, machines) for container in spec["containers"]]
    statuses.sort(key=lambda status: status["name"])
    init_statuses = [container_status(container, state, machines) for container in spec.get("initContainers") or ()]
    old = state.written or pod.get("status") or {}
    phase = state.phase or _phase(spec, statuses, init_statuses, state)
    if old.get("phase") in TERMINAL:
        phase = old["phase"]
    status: Object = {
        "phase": phase,
        "startTime": timestamps.time(state.since),
        "qosClass": (pod.get("status") or {}).get("qosClass") or resources.qos_class(spec),
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "containerStatuses": statuses,
    }
    if init_statuses:
        status["initContainerStatuses"] = init_statuses
    if spec.get("ephemeralContainers"):
        status["ephemeralContainerStatuses"] = _ephemeral_statuses(spec, state, machines)
    generation = pod["metadata"].get("generation")
    if generation:
        status["observedGeneration"] = generation
    for field, value in (("reason", state.reason), ("message", state.message)):
        if value:
            status[field] = value
    ip = state.ip or (host_ip if spec.get("hostNetwork") else "")
    if ip:
        status["podIP"] = ip
        status["podIPs"] = [{"ip": ip}]
    requests = resources.pod_requests(spec)
    if requests:
        status["allocatedResources"] = requests
    sandbox = machines.sandboxes.get(state.uid)
    has_sandbox = sandbox is not None and sandbox.ready
    status["conditions"] = _conditions(state, statuses, init_statuses, phase, now, has_sandbox=has_sandbox)
    return status


def _ephemeral_statuses(spec: Object, state: PodState, machines: Machines) -> list[Object]:
    """The statuses of containers that were added for a look; nobody asks whether they are ready or have started."""
    found = [container_status(container, state, machines) for container in spec["ephemeralContainers"]]
    return [
        {**{key: value for key, value in status.items() if key != "started"}, "ready": False}
        for status in sorted(found, key=lambda status: str(status["name"]))
    ]


def container_status(container: Object, state: PodState, machines: Machines) -> Object:
    """The status of one container."""
    name = container["name"]
    work = state.work(name)
    runs = [known for known in machines.containers_of(state.uid) if known.name == name]
    status: Object = {"name": name, "ready": False, "restartCount": 0, "lastState": {}, "started": False}
    mounts = [_mount_status(mount) for mount in container.get("volumeMounts") or ()]
    if mounts:
        status["volumeMounts"] = mounts
    init_containers = state.pod["spec"].get("initContainers") or ()
    if not runs:
        reason = "PodInitializing" if init_containers else "ContainerCreating"
        waiting = _waiting(work) if work.waiting is not None else {"reason": reason}
        return status | {"image": container["image"], "imageID": "", "state": {"waiting": waiting}}
    latest = runs[-1]
    status |= {
        "image": latest.image_text,
        "imageID": latest.image_ref,
        "containerID": f"containerd://{latest.id}",
        "restartCount": latest.attempt,
        "resources": container.get("resources") or {},
        "user": {"linux": {"uid": latest.user, "gid": latest.user, "supplementalGroups": [latest.user]}},
    }
    if (container.get("resources") or {}).get("requests"):
        status["allocatedResources"] = container["resources"]["requests"]
    if len(runs) > 1:
        status["lastState"] = {"terminated": _terminated(runs[-2], container)}
    status |= _state(latest, container, work)
    if latest.state is ContainerState.EXITED and latest.exit_code == 0 and container in init_containers:
        status["ready"] = not is_sidecar(container)
    return status


def _state(latest: Container, container: Object, work: ContainerWork) -> Object:
    """What its newest run says of a container."""
    if latest.running:
        running = {"running": {"startedAt": timestamps.time(latest.started)}}
        return {"state": running, "started": started(container, work), "ready": ready(container, work)}
    if latest.state is not ContainerState.EXITED:
        return {"state": {"waiting": {}}}
    terminated = {"terminated": _terminated(latest, container)}
    if work.waiting is None:
        return {"state": terminated}
    return {"state": {"waiting": _waiting(work)}, "lastState": terminated}


def started(container: Object, work: ContainerWork) -> bool:
    """Whether a running container has started: at once, or when its startup probe has succeeded."""
    return "startupProbe" not in container or bool(work.probes.get("startup") and work.probes["startup"].verdict)


def ready(container: Object, work: ContainerWork) -> bool:
    """Whether a running container is ready."""
    if not started(container, work):
        return False
    return "readinessProbe" not in container or bool(work.probes.get("readiness") and work.probes["readiness"].verdict)


def _waiting(work: ContainerWork) -> Object:
    assert work.waiting is not None
    waiting = {"reason": work.waiting.reason}
    return waiting | {"message": work.waiting.message} if work.waiting.message else waiting


def _terminated(container: Container, spec: Object) -> Object:
    terminated: Object = {
        "exitCode": container.exit_code,
        "reason": container.reason,
        "startedAt": timestamps.time(container.started) if container.started else "1970-01-01T00:00:00Z",
        "finishedAt": timestamps.time(container.finished),
        "containerID": f"containerd://{container.id}",
    }
    message = container.message or _termination_message(container, spec)
    if message:
        terminated["message"] = message[-MESSAGE_LIMIT:]
    return terminated


def _termination_message(container: Container, spec: Object) -> str:
    """What the container left for the status: the file for it, or the end of its log if it failed without one."""
    left = container.files.get(spec.get("terminationMessagePath", "/dev/termination-log")) or ""
    if not left and spec.get("terminationMessagePolicy") == "FallbackToLogsOnError" and container.exit_code:
        return "".join(line.text for line in container.log[-80:])
    return left


def _mount_status(mount: Object) -> Object:
    status = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        status |= {"readOnly": True, "recursiveReadOnly": "Disabled"}
    return status


def _phase(spec: Object, statuses: list[Object], init_statuses: list[Object], state: PodState) -> str:
    """The phase of a pod whose end nobody has decided."""
    by_name = {status["name"]: status for status in (*init_statuses, *statuses)}
    init_containers = spec.get("initContainers") or ()
    before = [container for container in init_containers if not is_sidecar(container)]
    sidecars = [by_name[container["name"]] for container in init_containers if is_sidecar(container)]
    ended_before = _ended(before, by_name)
    if any(code != 0 and not should_restart(one, until_success(spec), code) for one, code in ended_before):
        return "Failed"
    initializing = len(ended_before) < len(before) or any(
        "running" in status["state"] and not status["started"] for status in sidecars
    )
    lasting = [*sidecars, *statuses]
    waiting = any("waiting" in status["state"] and _last_exit(status) is None for status in lasting)
    if (initializing and not state.initialized) or waiting:
        return "Pending"
    if any("running" in status["state"] for status in lasting):
        return "Running"
    ended = _ended(spec["containers"], by_name)
    ending = state.stage in (Stage.TERMINATING, Stage.FINISHED) and not state.static
    if not ending and any(should_restart(one, spec, code) for one, code in ended):
        return "Running"
    return "Succeeded" if all(code == 0 for _, code in ended) else "Failed"


def _ended(containers: Iterable[Object], statuses: Mapping[str, Object]) -> list[tuple[Object, int]]:
    """The containers that have ended, be it to start again, and with which code."""
    codes = ((container, _last_exit(statuses[container["name"]])) for container in containers)
    return [(container, code) for container, code in codes if code is not None]


def until_success(spec: Object) -> Object:
    """A pod's policy as it holds for ordinary init containers: Always means until it succeeds."""
    return {"restartPolicy": "OnFailure"} if spec.get("restartPolicy", "Always") == "Always" else spec


def _last_exit(status: Object) -> int | None:
    ended = status["state"].get("terminated") or (
        status["lastState"].get("terminated") if "waiting" in status["state"] else None
    )
    return None if ended is None else int(ended["exitCode"])


def _conditions(
    state: PodState, statuses: list[Object], init_statuses: list[Object], phase: str, now: int, *, has_sandbox: bool
) -> list[Object]:
    """The conditions: those of others as they are, then the kubelet's own."""
    pod = state.pod
    current = (pod.get("status") or {}).get("conditions") or ()
    generation = pod["metadata"].get("generation")
    not_ready = _unready(pod["spec"], statuses, init_statuses, phase)
    not_initialized = _uninitialized(pod["spec"], init_statuses, phase, state)
    gates = _closed_gates(pod["spec"], current) if not not_ready else {}
    wanted: dict[str, dict[str, Any]] = {
        "PodReadyToStartContainers": {"status": "True" if has_sandbox else "False"},
        "Initialized": not_initialized or {"status": "True"},
        "Ready": not_ready or gates or {"status": "True"},
        "ContainersReady": not_ready or {"status": "True"},
        "PodScheduled": {"status": "True"},
    }
    old = {
        condition["type"]: condition for condition in (state.written or pod.get("status") or {}).get("conditions") or ()
    }
    moment = timestamps.time(now)
    conditions = [one for one in current if one["type"] not in (*CONDITIONS, *RESIZE_CONDITIONS)]
    if state.resize is not None and phase not in TERMINAL:
        conditions.append(state.resize)
    for kind in CONDITIONS:
        before = old.get(kind)
        condition: Object = {"type": kind, "status": wanted[kind]["status"], "lastProbeTime": None}
        condition["lastTransitionTime"] = (
            before["lastTransitionTime"] if before and before["status"] == condition["status"] else moment
        )
        if generation:
            condition["observedGeneration"] = generation
        condition |= {key: value for key, value in wanted[kind].items() if key != "status" and value}
        conditions.append(condition)
    return conditions


def _unready(spec: Object, statuses: list[Object], init_statuses: list[Object], phase: str) -> dict[str, Any]:
    if phase in TERMINAL:
        return {"status": "False", "reason": "PodCompleted" if phase == "Succeeded" else "PodFailed"}
    sidecars = [container["name"] for container in spec.get("initContainers") or () if is_sidecar(container)]
    names = [*sidecars, *(container["name"] for container in spec["containers"])]
    by_name = {status["name"]: status for status in (*init_statuses, *statuses)}
    unready = [name for name in names if not by_name[name]["ready"]]
    if not unready:
        return {}
    message = f"containers with unready status: [{' '.join(unready)}]"
    return {"status": "False", "reason": "ContainersNotReady", "message": message}


def _uninitialized(spec: Object, init_statuses: list[Object], phase: str, state: PodState) -> dict[str, Any]:
    if phase == "Succeeded":
        return {"status": "True", "reason": "PodCompleted"}
    if state.initialized:
        return {}
    by_name = {status["name"]: status for status in init_statuses}
    incomplete = [
        container["name"] for container in spec.get("initContainers") or ()
        if not by_name[container["name"]]["started" if is_sidecar(container) else "ready"]
    ]  # fmt: skip
    if not incomplete:
        return {}
    message = f"containers with incomplete status: [{' '.join(incomplete)}]"
    return {"status": "False", "reason": "ContainersNotInitialized", "message": message}


def _closed_gates(spec: Object, current: Any) -> dict[str, Any]:
    by_type = {condition["type"]: condition for condition in current}
    messages = []
    for gate in spec.get("readinessGates") or ():
        kind = gate["conditionType"]
        if kind not in by_type:
            messages.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif by_type[kind]["status"] != "True":
            messages.append(f'the status of pod readiness gate "{kind}" is not "True", but {by_type[kind]["status"]}')
    if not messages:
        return {}
    return {"status": "False", "reason": "ReadinessGatesNotReady", "message": ", ".join(messages)}
