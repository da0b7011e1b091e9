"""The EndpointSlice controller: who stands behind a Service, in slices of at most 100 endpoints.

Source: pkg/controller/endpointslice, k8s.io/endpointslice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from autograder.controlplane.apimachinery.errors import Forbidden
from autograder.controlplane.apimachinery.scheme import ENDPOINTSLICES, NODES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, object_key
from autograder.controlplane.client.services import SERVICE_NAME
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.controller import ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.ownership import controller_ref
from autograder.controlplane.kube_controller_manager.refusals import is_of_terminating_namespace
from autograder.controlplane.kube_controller_manager.serviceendpoints import (
    HEADLESS_LABEL,
    MANAGED_BY,
    TRIGGER_TIME,
    ServiceFollower,
    endpoint_ports,
    hostname,
    is_endpoint,
    is_headless,
    kept_by,
    ports_key,
    target,
)

MANAGER: Final = "endpointslice-controller.k8s.io"
ZONE: Final = "topology.kubernetes.io/zone"
RESERVED_LABELS: Final = (SERVICE_NAME, MANAGED_BY, HEADLESS_LABEL)
MAX_ENDPOINTS: Final = 100
BY_SERVICE: Final = "service"

by_service = kept_by(MANAGER)


@dataclass(slots=True)
class _Plan:
    """What becomes of the slices of one family; endpoints with their ports."""

    new: list[tuple[list[Object], list[Object]]] = field(default_factory=list)
    changed: list[tuple[Object, list[Object], list[Object]]] = field(default_factory=list)
    surplus: list[Object] = field(default_factory=list)


class EndpointSliceController(ServiceFollower):
    """Keeps the slices of every Service that has a selector."""

    name = "endpointslice-controller"
    service_account = "endpointslice-controller"
    event_source = "endpoint-slice-controller"
    max_retries = 15

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.slices = self.informers.informer(ENDPOINTSLICES, **{BY_SERVICE: by_service})
        self.nodes = self.informers.informer(NODES)

    def subscriptions(self) -> Subscriptions:
        return {
            self.services: self.on_service,
            self.pods: self.on_pod,
            self.slices: self.on_slice,
            self.nodes: self.on_node,
        }

    def on_slice(self, delta: Delta) -> None:
        """Somebody else changed or deleted a slice of ours."""
        self.queue.add(*by_service(delta.object))

    def on_node(self, delta: Delta) -> None:
        """A node's zone shows in endpoints, and pods of a node that does not exist are no endpoints."""
        old, new = delta
        if old is None or new is None or _zone(old) != _zone(new):
            name = delta.object["metadata"]["name"]
            for service in self.services:
                if any(pod["spec"].get("nodeName") == name for pod in self.selected_pods(service)):
                    self.queue.add(object_key(service))

    def follow(self, key: str, service: Object, pods: list[Object], trigger: str) -> None:
        existing = [one for one in self.slices.by_index(BY_SERVICE, key) if "deletionTimestamp" not in one["metadata"]]
        families = service["spec"].get("ipFamilies") or ["IPv4"]
        for address_type in families:
            mine = [one for one in existing if one["addressType"] == address_type]
            self._reconcile_family(service, pods, mine, address_type, trigger)
        for stale in existing:
            if stale["addressType"] not in families:
                self._delete(stale)

    def _reconcile_family(
        self, service: Object, pods: list[Object], existing: list[Object], address_type: str, trigger: str
    ) -> None:
        wanted = self._wanted(service, pods, address_type)
        by_ports: dict[str, list[Object]] = {}
        for one in sorted(existing, key=lambda one: str(one["metadata"]["name"])):
            by_ports.setdefault(ports_key(one.get("ports") or []), []).append(one)
        if not wanted:
            # A Service without endpoints keeps one empty slice, so that one can see that somebody looked.
            wanted = {ports_key([]): ([], {})}
        plan = _Plan()
        for same, (ports, endpoints) in wanted.items():
            _fill(plan, by_ports.pop(same, []), ports, endpoints)
        plan.surplus += [one for stale in by_ports.values() for one in stale]
        # What would be deleted is used again for what would be created, so that names last.
        while plan.new and plan.surplus:
            plan.changed.append((plan.surplus.pop(0), *plan.new.pop()))
        # While the Service goes, the garbage collector would delete again whatever is created.
        leaving = "deletionTimestamp" in service["metadata"]
        for endpoints_of_one, ports in plan.new if not leaving else ():
            self._create(service, endpoints_of_one, ports, address_type, trigger)
        for one, endpoints_of_one, ports in plan.changed:
            self._update(service, one, endpoints_of_one, ports, trigger)
        for one in plan.surplus:
            self._delete(one)

    def _wanted(
        self, service: Object, pods: list[Object], address_type: str
    ) -> dict[str, tuple[list[Object], dict[str, Object]]]:
        """Ports, and the endpoints that have them by pod uid; a named port may have other numbers in other pods."""
        wanted: dict[str, tuple[list[Object], dict[str, Object]]] = {}
        for pod in pods:
            if not is_endpoint(pod, terminating=True):
                continue
            addresses = _addresses(pod, address_type)
            node = self.nodes.get("", pod["spec"].get("nodeName", ""))
            if not addresses or (node is None and not service["spec"].get("publishNotReadyAddresses")):
                continue
            ports = endpoint_ports(service, pod)
            _, endpoints = wanted.setdefault(ports_key(ports), (ports, {}))
            endpoints[pod["metadata"]["uid"]] = _endpoint(service, pod, addresses, _zone(node) if node else "")
        return wanted

    def _create(
        self, service: Object, endpoints: list[Object], ports: list[Object], address_type: str, trigger: str
    ) -> None:
        meta = service["metadata"]
        wanted = {
            "apiVersion": ENDPOINTSLICES.api_version,
            "kind": ENDPOINTSLICES.kind,
            "metadata": {
                "generateName": f"{meta['name']}-",
                "namespace": meta["namespace"],
                "labels": _labels(service),
                **({"annotations": {TRIGGER_TIME: trigger}} if trigger else {}),
                "ownerReferences": [controller_ref(service)],
            },
            "addressType": address_type,
            **_listed(endpoints, ports),
        }
        try:
            self.client.create(ENDPOINTSLICES, meta["namespace"], wanted)
        except Forbidden as error:
            if not is_of_terminating_namespace(error):
                raise

    def _update(self, service: Object, one: Object, endpoints: list[Object], ports: list[Object], trigger: str) -> None:
        meta = one["metadata"]
        labels = _labels(service)
        same = (one.get("endpoints") or []) == endpoints and (one.get("ports") or []) == ports
        if same and labels == meta.get("labels", {}):
            return
        annotations = {key: text for key, text in meta.get("annotations", {}).items() if key != TRIGGER_TIME}
        if trigger:
            annotations[TRIGGER_TIME] = trigger
        metadata = {**meta, "labels": labels, "annotations": annotations}
        self.client.update(ENDPOINTSLICES, {**one, "metadata": metadata, **_listed(endpoints, ports)})

    def _delete(self, one: Object) -> None:
        self.client.delete_if_there(ENDPOINTSLICES, one["metadata"]["namespace"], one["metadata"]["name"])


def _listed(endpoints: list[Object], ports: list[Object]) -> Object:
    """The lists of a slice; the protobuf in which a real controller writes them has no empty ones."""
    return {"endpoints": endpoints or None, "ports": ports or None}


def _fill(plan: _Plan, existing: list[Object], ports: list[Object], endpoints: dict[str, Object]) -> None:
    """Change as few slices as possible: what is there stays where it is, new endpoints go where there is room."""
    left = dict(endpoints)
    kept: list[tuple[Object, list[Object]]] = []
    for one in existing:
        uids = [entry.get("targetRef", {}).get("uid", "") for entry in one.get("endpoints") or []]
        kept.append((one, [left.pop(uid) for uid in uids if uid in left]))
    changed = [found for one, found in kept if len(found) != len(one.get("endpoints") or [])]
    for found in sorted(changed, key=len, reverse=True):
        _move(left, found)
    while len(left) >= MAX_ENDPOINTS:
        full: list[Object] = []
        _move(left, full)
        plan.new.append((full, ports))
    room = [found for _, found in kept if found and len(found) + len(left) <= MAX_ENDPOINTS]
    if left and room:
        _move(left, max(room, key=len))
    if left or (not kept and not endpoints):
        plan.new.append((list(left.values()), ports))
    for position, (one, found) in enumerate(kept):
        if found or (not endpoints and position == 0):
            plan.changed.append((one, found, ports))
        else:
            plan.surplus.append(one)


def _move(endpoints: dict[str, Object], target_slice: list[Object]) -> None:
    """Move endpoints into a slice until it is full."""
    for uid in list(endpoints)[: max(0, MAX_ENDPOINTS - len(target_slice))]:
        target_slice.append(endpoints.pop(uid))


def _endpoint(service: Object, pod: Object, addresses: list[str], zone: str) -> Object:
    serving = podlib.is_ready(pod)
    terminating = "deletionTimestamp" in pod["metadata"]
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    endpoint: Object = {
        "addresses": addresses,
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
    }
    if name := hostname(pod, service):
        endpoint["hostname"] = name
    endpoint["targetRef"] = target(pod)
    if node := pod["spec"].get("nodeName"):
        endpoint["nodeName"] = node
    if zone:
        endpoint["zone"] = zone
    return endpoint


def _addresses(pod: Object, address_type: str) -> list[str]:
    """The pod's addresses of one family."""
    status = pod["status"]
    known = [one["ip"] for one in status.get("podIPs", ())] or [status["podIP"]]
    return [ip for ip in known if (":" in ip) == (address_type == "IPv6")]


def _zone(node: Object) -> str:
    zone: str = node["metadata"].get("labels", {}).get(ZONE, "")
    return zone


def _labels(service: Object) -> Object:
    """The Service's labels and the controller's own."""
    labels = {key: text for key, text in service["metadata"].get("labels", {}).items() if key not in RESERVED_LABELS}
    labels |= {MANAGED_BY: MANAGER, SERVICE_NAME: service["metadata"]["name"]}
    return labels | {HEADLESS_LABEL: ""} if is_headless(service) else labels
