"""The Endpoints controller: who stands behind a Service, in the one object that came before EndpointSlices.

Source: pkg/controller/endpoint, pkg/api/v1/endpoints (RepackSubsets).
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import ENDPOINTS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, object_key, split_key
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.controller import ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.refusals import is_of_terminating_namespace
from autograder.controlplane.kube_controller_manager.serviceendpoints import (
    HEADLESS_LABEL,
    TRIGGER_TIME,
    ServiceFollower,
    endpoint_ports,
    hostname,
    is_endpoint,
    is_headless,
    ports_key,
    target,
)

MANAGED_BY: Final = "endpoints.kubernetes.io/managed-by"
MANAGER: Final = "endpoint-controller"
OVER_CAPACITY: Final = "endpoints.kubernetes.io/over-capacity"
CAPACITY: Final = 1000

Addresses = list[Object]


class EndpointsController(ServiceFollower):
    """Keeps the Endpoints of every Service that has a selector."""

    name = "endpoints-controller"
    service_account = "endpoint-controller"
    event_source = "endpoint-controller"
    max_retries = 15

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.endpoints = self.informers.informer(ENDPOINTS)

    def subscriptions(self) -> Subscriptions:
        return {self.services: self.on_service, self.pods: self.on_pod, self.endpoints: self.on_endpoints}

    def on_endpoints(self, delta: Delta) -> None:
        """Somebody deleted Endpoints that a Service still needs."""
        if delta.new is None:
            self.queue.add(object_key(delta.object))

    def forget(self, key: str) -> None:
        if self.endpoints.get_by_key(key) is not None:
            self.client.delete_if_there(ENDPOINTS, *split_key(key))

    def follow(self, key: str, service: Object, pods: list[Object], trigger: str) -> None:
        namespace, name = split_key(key)
        existing = self.endpoints.get_by_key(key)
        subsets = _subsets(service, pods)
        labels = {name: text for name, text in service["metadata"].get("labels", {}).items() if name != HEADLESS_LABEL}
        labels |= {HEADLESS_LABEL: "", MANAGED_BY: MANAGER} if is_headless(service) else {MANAGED_BY: MANAGER}
        subsets, truncated = _truncated(subsets)
        before: Object = existing["metadata"] if existing else {"name": name, "namespace": namespace}
        if existing is not None and existing.get("subsets", []) == subsets and before.get("labels") == labels:
            return
        own = (TRIGGER_TIME, OVER_CAPACITY)
        annotations = {key: text for key, text in before.get("annotations", {}).items() if key not in own}
        annotations |= compact({TRIGGER_TIME: trigger, OVER_CAPACITY: "truncated" if truncated else ""})
        metadata = {**before, "labels": labels, **compact({"annotations": annotations})}
        wanted = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, **compact({"subsets": subsets})}
        self._write(wanted, new=existing is None)

    def _write(self, wanted: Object, *, new: bool) -> None:
        namespace, name = wanted["metadata"]["namespace"], wanted["metadata"]["name"]
        try:
            if new:
                self.client.create(ENDPOINTS, namespace, wanted)
            else:
                self.client.update(ENDPOINTS, wanted)
        except StatusError as error:
            if new and is_of_terminating_namespace(error):
                return
            if new:
                message = f"Failed to create endpoint for service {namespace}/{name}: {error.message}"
                self.recorder.event(wanted, "Warning", "FailedToCreateEndpoint", message)
            else:
                message = f"Failed to update endpoint {namespace}/{name}: {error.message}"
                self.recorder.event(wanted, "Warning", "FailedToUpdateEndpoint", message)
            raise


def _subsets(service: Object, pods: list[Object]) -> list[Object]:
    """Addresses grouped by the ports that they have in common, ready and not ready ones apart."""
    tolerant = bool(service["spec"].get("publishNotReadyAddresses"))
    addresses: dict[str, tuple[Object, bool]] = {}
    ports_of: dict[str, list[Object]] = {}
    for pod in pods:
        if not is_endpoint(pod, terminating=tolerant):
            continue
        ports = endpoint_ports(service, pod)
        if not ports and (service["spec"].get("ports") or not is_headless(service)):
            continue
        uid = pod["metadata"]["uid"]
        addresses[uid] = _address(service, pod), tolerant or podlib.is_ready(pod)
        ports_of[uid] = [{key: value for key, value in port.items() if key != "name" or value} for port in ports]
    groups: dict[str, list[str]] = {}
    for uid, ports in ports_of.items():
        groups.setdefault(ports_key(ports), []).append(uid)
    subsets = []
    for uids in groups.values():
        ready = [addresses[uid][0] for uid in uids if addresses[uid][1]]
        waiting = [addresses[uid][0] for uid in uids if not addresses[uid][1]]
        ports = sorted(ports_of[uids[0]], key=lambda port: (port.get("name", ""), port["port"]))
        subsets.append(compact({"addresses": _sorted(ready), "notReadyAddresses": _sorted(waiting), "ports": ports}))
    return subsets


def _sorted(addresses: Addresses) -> Addresses:
    return sorted(addresses, key=_by_address)


def _by_address(address: Object) -> tuple[list[int], str]:
    """Sort key: IPv4 addresses by number."""
    ip: str = address["ip"]
    return [int(part) for part in ip.split(".") if part.isdigit()], ip


def _address(service: Object, pod: Object) -> Object:
    node = pod["spec"].get("nodeName")
    address = {"ip": pod["status"]["podIP"], "hostname": hostname(pod, service), "nodeName": node}
    return compact({**address, "targetRef": target(pod)})


def _truncated(subsets: list[Object]) -> tuple[list[Object], bool]:
    """At most 1000 addresses, ready ones first, and whether any were cut off."""
    ready = sum(len(one.get("addresses", ())) for one in subsets)
    waiting = sum(len(one.get("notReadyAddresses", ())) for one in subsets)
    if ready + waiting <= CAPACITY:
        return subsets, False
    room = {"addresses": min(ready, CAPACITY), "notReadyAddresses": max(0, CAPACITY - ready)}
    result = []
    for one in subsets:
        cut = dict(one)
        for field in ("addresses", "notReadyAddresses"):
            kept = one.get(field, [])[: room[field]]
            room[field] -= len(kept)
            cut[field] = kept
        result.append(compact(cut))
    return result, True
