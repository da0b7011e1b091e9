"""What is said of Services and what stands behind and before them.

Sources: pkg/api/service and the strategies of endpoints, endpointslice, ingress and networkpolicy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from autograder.controlplane.apimachinery.classes import INGRESS_CLASS
from autograder.controlplane.apimachinery.field import Path
from autograder.controlplane.kube_apiserver.validation.services import TOPOLOGY_HINTS, TOPOLOGY_MODE
from autograder.controlplane.kube_apiserver.warnings.addresses import of_address, of_network

Object = Mapping[str, Any]

#: Who is known to write addresses as they should be: the label of the object, and the controllers.
_ENDPOINTS_BY: Final = "endpoints.kubernetes.io/managed-by"
_SLICES_BY: Final = "endpointslice.kubernetes.io/managed-by"
_SLICE_CONTROLLERS: Final = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")


def of_service(service: Object) -> Iterator[str]:
    """What is said of a Service, be it new or changed."""
    spec, path = service["spec"], Path("spec")
    external_name = spec.get("type") == "ExternalName"
    headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"
    external = spec.get("externalIPs") or ()
    if TOPOLOGY_HINTS in service["metadata"].get("annotations", {}):
        yield f"annotation {TOPOLOGY_HINTS} is deprecated, please use {TOPOLOGY_MODE} instead"
    if spec.get("clusterIP") not in (None, "", "None"):
        yield from _each(of_address, spec.get("clusterIPs"), path.child("clusterIPs"))
    if headless:
        yield from _ignored_without_address(spec)
    yield from _each(of_address, external, path.child("externalIPs"))
    if external and not headless and not external_name:
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if spec.get("loadBalancerIP"):
        yield from of_address(spec["loadBalancerIP"], path.child("loadBalancerIP"))
    yield from _each(of_network, spec.get("loadBalancerSourceRanges"), path.child("loadBalancerSourceRanges"))
    if external_name and external:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not external_name and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _ignored_without_address(spec: Object) -> Iterator[str]:
    """What a headless Service asks for in vain."""
    if spec.get("loadBalancerIP"):
        yield "spec.loadBalancerIP is ignored for headless services"
    if spec.get("externalIPs"):
        yield "spec.externalIPs is ignored for headless services"
    if spec.get("sessionAffinity") != "None":
        yield "spec.SessionAffinity is ignored for headless services"


def _each(rule: Callable[[str, Path], Iterator[str]], values: Sequence[str] | None, path: Path) -> Iterator[str]:
    """What a rule says of each value of a list."""
    for position, value in enumerate(values or ()):
        yield from rule(value, path.index(position))


def of_load_balancer(obj: Object) -> Iterator[str]:
    """What is said of the status of a Service or an Ingress."""
    path = Path("status").child("loadBalancer").child("ingress")
    for position, one in enumerate(obj.get("status", {}).get("loadBalancer", {}).get("ingress") or ()):
        if one.get("ip"):
            yield from of_address(one["ip"], path.index(position))


def of_endpoints(endpoints: Object) -> Iterator[str]:
    """What is said of Endpoints that are not made by the controller."""
    if endpoints["metadata"].get("labels", {}).get(_ENDPOINTS_BY) == "endpoint-controller":
        return
    for position, subset in enumerate(endpoints.get("subsets") or ()):
        for kind in ("addresses", "notReadyAddresses"):
            path = Path("subsets").index(position).child(kind)
            for place, one in enumerate(subset.get(kind) or ()):
                yield from of_address(one["ip"], path.index(place).child("ip"))


def of_new_endpoint_slice(endpoint_slice: Object) -> Iterator[str]:
    """What is said of a new EndpointSlice."""
    if endpoint_slice.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"
    yield from of_endpoint_slice(endpoint_slice)


def of_endpoint_slice(endpoint_slice: Object) -> Iterator[str]:
    """What is said of the addresses of an EndpointSlice that is not made by a controller."""
    if endpoint_slice["metadata"].get("labels", {}).get(_SLICES_BY) in _SLICE_CONTROLLERS:
        return
    for position, endpoint in enumerate(endpoint_slice.get("endpoints") or ()):
        path = Path("endpoints").index(position).child("addresses")
        yield from _each(of_address, endpoint.get("addresses"), path)


def of_new_ingress(ingress: Object) -> Iterator[str]:
    """What is said of how a new Ingress names its class."""
    if INGRESS_CLASS in ingress["metadata"].get("annotations", {}) and "ingressClassName" not in ingress["spec"]:
        yield f"annotation \"{INGRESS_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"


def of_network_policy(policy: Object) -> Iterator[str]:
    """What is said of the address blocks of a policy."""
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for position, rule in enumerate(policy["spec"].get(direction) or ()):
            path = Path("spec").child(direction).index(position).child(peers)
            for place, peer in enumerate(rule.get(peers) or ()):
                block, here = peer.get("ipBlock"), path.index(place).child("ipBlock")
                if block:
                    yield from of_network(block["cidr"], here.child("cidr"))
                    yield from _each(of_network, block.get("except"), here.child("except"))
