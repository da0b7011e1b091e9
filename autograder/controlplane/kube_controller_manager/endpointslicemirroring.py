"""The EndpointSlice mirroring controller: Endpoints that somebody keeps by hand show as EndpointSlices too.

That is what a Service without a selector is for; kube-proxy reads slices only.
Source: pkg/controller/endpointslicemirroring.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.scheme import ENDPOINTS, ENDPOINTSLICES, SERVICES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import WorkQueue
from autograder.controlplane.client.informer import Delta, object_key
from autograder.controlplane.client.services import SERVICE_NAME
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.controller import (
    COMPONENT,
    Controller,
    ControllerContext,
    Subscriptions,
)
from autograder.controlplane.kube_controller_manager.deployment.revisions import LAST_APPLIED
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.ownership import controller_ref
from autograder.controlplane.kube_controller_manager.serviceendpoints import (
    MANAGED_BY,
    TRIGGER_TIME,
    kept_by,
    ports_key,
)

MANAGER: Final = "endpointslicemirroring-controller.k8s.io"
SKIP: Final = "endpointslice.kubernetes.io/skip-mirror"
LEADER: Final = "control-plane.alpha.kubernetes.io/leader"
NOT_MIRRORED: Final = (TRIGGER_TIME, LAST_APPLIED)
BY_MIRRORED: Final = "mirrored"
MOST_ENDPOINTS: Final = 1000
FIRST_DELAY: Final = SECOND
LONGEST_DELAY: Final = 100 * SECOND

by_mirrored = kept_by(MANAGER)


class EndpointSliceMirroringController(Controller):
    """Keeps a slice for each address family and set of ports of Endpoints without a selector behind them."""

    name = "endpointslice-mirroring-controller"
    service_account = "endpointslicemirroring-controller"
    event_source = "endpoint-slice-mirroring-controller"
    max_retries = 15

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.endpoints = self.informers.informer(ENDPOINTS)
        self.services = self.informers.informer(SERVICES)
        self.slices = self.informers.informer(ENDPOINTSLICES, **{BY_MIRRORED: by_mirrored})
        self.queue = WorkQueue(context.clock, COMPONENT, self.name, base_delay=FIRST_DELAY, max_delay=LONGEST_DELAY)

    def subscriptions(self) -> Subscriptions:
        return {self.endpoints: self.on_endpoints, self.services: self.on_endpoints, self.slices: self.on_slice}

    def on_endpoints(self, delta: Delta) -> None:
        """Endpoints and the Service of their name share a key."""
        self.queue.add(object_key(delta.object))

    def on_slice(self, delta: Delta) -> None:
        self.queue.add(*by_mirrored(delta.object))

    def reconcile(self, key: str) -> None:
        endpoints, service = self.endpoints.get_by_key(key), self.services.get_by_key(key)
        wanted: dict[str, Object] = {}
        if endpoints is not None and service is not None and _is_mirrored(endpoints, service):
            wanted = _slices(endpoints)
        for existing in self.slices.by_index(BY_MIRRORED, key):
            self._update(existing, wanted.pop(_kind_of(existing), None))
        for one in wanted.values():
            self.client.create(ENDPOINTSLICES, one["metadata"]["namespace"], one)

    def _update(self, existing: Object, wanted: Object | None) -> None:
        meta = existing["metadata"]
        if wanted is None:
            self.client.delete_if_there(ENDPOINTSLICES, meta["namespace"], meta["name"])
            return
        described = {field: wanted["metadata"].get(field, {}) for field in ("labels", "annotations")}
        same = all(meta.get(field, {}) == value for field, value in described.items())
        if same and existing.get("endpoints") == wanted["endpoints"]:
            return
        self.client.update(ENDPOINTSLICES, {**wanted, "metadata": {**meta, **described}})


def _is_mirrored(endpoints: Object, service: Object) -> bool:
    meta = endpoints["metadata"]
    if meta.get("labels", {}).get(SKIP) == "true" or LEADER in meta.get("annotations", {}):
        return False
    return "selector" not in service["spec"]


def _slices(endpoints: Object) -> dict[str, Object]:
    """The slices that mirror Endpoints, by what tells them apart."""
    slices: dict[str, Object] = {}
    for subset in endpoints.get("subsets", ()):
        ports = [{"name": "", **port} for port in subset.get("ports", ())]
        for field, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(field, ())[:MOST_ENDPOINTS]:
                family = "IPv6" if ":" in address["ip"] else "IPv4"
                fresh = _slice(endpoints, ports, family)
                slices.setdefault(_kind_of(fresh), fresh)["endpoints"].append(_endpoint(address, ready=ready))
    return slices


def _slice(endpoints: Object, ports: list[Object], family: str) -> Object:
    meta = endpoints["metadata"]
    annotations = {key: text for key, text in meta.get("annotations", {}).items() if key not in NOT_MIRRORED}
    return {
        "apiVersion": ENDPOINTSLICES.api_version,
        "kind": ENDPOINTSLICES.kind,
        "metadata": {
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
            "labels": {**meta.get("labels", {}), SERVICE_NAME: meta["name"], MANAGED_BY: MANAGER},
            **compact({"annotations": annotations}),
            "ownerReferences": [controller_ref(endpoints)],
        },
        "addressType": family,
        "endpoints": [],
        "ports": ports,
    }


def _endpoint(address: Object, *, ready: bool) -> Object:
    endpoint: Object = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    return endpoint | {field: address[field] for field in ("hostname", "targetRef", "nodeName") if field in address}


def _kind_of(endpoint_slice: Object) -> str:
    """Slices that are alike in this are one slice."""
    return f"{endpoint_slice['addressType']} {ports_key(endpoint_slice.get('ports') or [])}"
