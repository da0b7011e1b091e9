"""The tables of what belongs to the cluster: nodes, namespaces, events, leases, priorities, roles."""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.tables.ages import UNKNOWN, age
from autograder.controlplane.kube_apiserver.tables.printer import (
    AGE,
    NAME,
    NONE,
    Column,
    Printer,
    age_of,
    name_of,
)

_ROLE_LABEL: Final = "kubernetes.io/role"
_ROLE_PREFIX: Final = "node-role.kubernetes.io/"


def _namespace(obj: Object, now: int) -> list[Any]:
    return [name_of(obj), (obj.get("status") or {}).get("phase", ""), age_of(obj, now)]


def _component_status(obj: Object, now: int) -> list[Any]:
    told = next((one for one in obj.get("conditions") or () if one["type"] == "Healthy"), None)
    if told is None:
        return [name_of(obj), "Unknown", "", ""]
    healthy = "Healthy" if told["status"] == "True" else "Unhealthy"
    return [name_of(obj), healthy, told.get("message", ""), told.get("error", "")]


def _node(obj: Object, now: int) -> list[Any]:
    status = obj.get("status") or {}
    info = status.get("nodeInfo") or {}
    kernel = info.get("kernelVersion") or UNKNOWN
    if info.get("architecture"):
        kernel = f"{kernel} ({info['architecture']})"
    return [
        name_of(obj),
        _node_status(obj),
        ",".join(_roles(obj["metadata"].get("labels") or {})) or NONE,
        age_of(obj, now),
        info.get("kubeletVersion", ""),
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        kernel,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _node_status(node: Object) -> str:
    conditions = {c["type"]: c.get("status") for c in (node.get("status") or {}).get("conditions") or ()}
    ready = "Unknown"
    if "Ready" in conditions:
        ready = "Ready" if conditions["Ready"] == "True" else "NotReady"
    return f"{ready},SchedulingDisabled" if (node.get("spec") or {}).get("unschedulable") else ready


def _roles(labels: dict[str, str]) -> list[str]:
    """The roles that labels give a node, of either form, in order."""
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    roles.add(labels.get(_ROLE_LABEL, ""))
    return sorted(roles - {""})


def _address(status: Object, kind: str) -> str:
    return next((a["address"] for a in status.get("addresses") or () if a.get("type") == kind), NONE)


def _event(obj: Object, now: int) -> list[Any]:
    """An event of either API: the newer one has other names for the same fields."""
    first = age(obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime"), now)
    end = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    last = age(end, now) if end else first
    count = obj.get("count") or obj.get("deprecatedCount") or 1
    if series := obj.get("series"):
        last, count = age(series.get("lastObservedTime"), now), series.get("count", 0)
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    kind = about.get("kind", "").lower()
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{about['name']}" if about.get("name") else kind,
        about.get("fieldPath", ""),
        _event_source(obj),
        (obj.get("message") or obj.get("note") or "").strip(),
        first,
        count,
        name_of(obj),
    ]


def _event_source(event: Object) -> str:
    """``kubelet, worker-1``: the component and where it runs."""
    source = event.get("source") or event.get("deprecatedSource") or {}
    component = source.get("component") or event.get("reportingComponent") or event.get("reportingController") or ""
    host = source.get("host") or event.get("reportingInstance")
    return f"{component}, {host}" if host else component


def _lease(obj: Object, now: int) -> list[Any]:
    return [name_of(obj), (obj.get("spec") or {}).get("holderIdentity", ""), age_of(obj, now)]


def _priority_class(obj: Object, now: int) -> list[Any]:
    default = bool(obj.get("globalDefault"))
    return [name_of(obj), obj.get("value", 0), default, age_of(obj, now), obj.get("preemptionPolicy", "")]


def _binding(obj: Object, now: int) -> list[Any]:
    role = obj.get("roleRef") or {}
    subjects = obj.get("subjects") or ()
    accounts = (f"{s.get('namespace', '')}/{s['name']}" for s in subjects if s.get("kind") == "ServiceAccount")
    return [
        name_of(obj),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        age_of(obj, now),
        ", ".join(s["name"] for s in subjects if s.get("kind") == "User"),
        ", ".join(s["name"] for s in subjects if s.get("kind") == "Group"),
        ", ".join(accounts),
    ]


def _binding_columns(kind: str) -> tuple[Column, ...]:
    subject = f"{kind[0].lower()}{kind[1:]}"
    return (
        NAME,
        Column("Role", f"rbac.v1.{kind}.roleRef"),
        AGE,
        *(Column(who, priority=1, text=f"{who} in the {subject}") for who in ("Users", "Groups", "ServiceAccounts")),
    )


_EVENT: Final = Printer(
    (
        Column("Last Seen", "core.v1.Event.lastTimestamp"),
        Column("Type", "core.v1.Event.type"),
        Column("Reason", "core.v1.Event.reason"),
        Column("Object", "core.v1.Event.involvedObject"),
        Column("Subobject", "core.v1.ObjectReference.fieldPath", priority=1),
        Column("Source", "core.v1.Event.source", priority=1),
        Column("Message", "core.v1.Event.message"),
        Column("First Seen", "core.v1.Event.firstTimestamp", priority=1),
        Column("Count", "core.v1.Event.count", priority=1),
        Column("Name", "meta.v1.ObjectMeta.name", priority=1, format="name"),
    ),
    _event,
)

PRINTERS: Final = {
    ("", "ComponentStatus"): Printer(
        (NAME, *(Column(name, text=f"{name} of the component conditions") for name in ("Status", "Message", "Error"))),
        _component_status,
    ),
    ("", "Namespace"): Printer((NAME, Column("Status", text="The status of the namespace"), AGE), _namespace),
    ("", "Node"): Printer(
        (
            NAME,
            Column("Status", text="The status of the node"),
            Column("Roles", text="The roles of the node"),
            AGE,
            Column("Version", "core.v1.NodeSystemInfo.kubeletVersion"),
            Column("Internal-IP", "core.v1.NodeStatus.addresses", priority=1),
            Column("External-IP", "core.v1.NodeStatus.addresses", priority=1),
            Column("OS-Image", "core.v1.NodeSystemInfo.osImage", priority=1),
            Column("Kernel-Version", "core.v1.NodeSystemInfo.kernelVersion", priority=1),
            Column("Container-Runtime", "core.v1.NodeSystemInfo.containerRuntimeVersion", priority=1),
        ),
        _node,
    ),
    ("", "Event"): _EVENT,
    ("events.k8s.io", "Event"): _EVENT,
    ("coordination.k8s.io", "Lease"): Printer(
        (NAME, Column("Holder", "coordination.v1.LeaseSpec.holderIdentity"), AGE), _lease
    ),
    ("scheduling.k8s.io", "PriorityClass"): Printer(
        (
            NAME,
            Column("Value", "scheduling.v1.PriorityClass.value", "integer"),
            Column("Global-Default", "scheduling.v1.PriorityClass.globalDefault", "boolean"),
            AGE,
            Column("PreemptionPolicy", "scheduling.v1.PriorityClass.preemptionPolicy"),
        ),
        _priority_class,
    ),
    ("rbac.authorization.k8s.io", "RoleBinding"): Printer(_binding_columns("RoleBinding"), _binding),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): Printer(_binding_columns("ClusterRoleBinding"), _binding),
}
