"""The rules for Services (pkg/apis/core/validation, ValidateServiceCreate and ValidateServiceUpdate)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.field import (
    FieldError,
    Path,
    duplicate,
    forbidden,
    invalid,
    required,
)
from autograder.controlplane.kube_apiserver.defaulting.services import ROUTED_TYPES, externally_accessible
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.addresses import (
    parse_address,
    validate_address,
    validate_endpoint_address,
    validate_network,
)
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed
from autograder.controlplane.kube_apiserver.validation.meta import (
    label_name,
    labels,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.rules import (
    one_of,
    port_number,
    port_number_or_name,
    protocol,
    required_name,
    required_one_of,
)
from autograder.controlplane.kube_apiserver.validation.service_addresses import (
    is_headless,
    validate_cluster_ips,
    validate_cluster_ips_update,
    validate_ip_families_update,
)

MAX_CLIENT_IP_AFFINITY_SECONDS = 86400
SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
SESSION_AFFINITIES = ("ClientIP", "None")
TRAFFIC_POLICIES = ("Cluster", "Local")
TRAFFIC_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"

_SPEC = Path("spec")


def validate_service(service: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new Service, after its addresses and ports were allocated."""
    return [
        *validate_metadata(service["metadata"], namespaced=True, name=names.dns_label),
        *_validate_spec(service, {}),
    ]


def validate_service_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``."""
    return [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *validate_cluster_ips_update(new["spec"], old["spec"]),
        *validate_ip_families_update(new["spec"], old["spec"]),
        *_validate_load_balancer_class(new["spec"], old["spec"]),
        *_validate_health_check_unchanged(new["spec"], old["spec"]),
        *_validate_spec(new, old),
    ]


def validate_service_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a change of the load balancer's state."""
    return [*validate_metadata_update(new["metadata"], old["metadata"]), *_validate_load_balancer_status(new, old)]


def _validate_spec(service: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    spec, old_spec = service.get("spec", {}), old.get("spec", {})
    yield from _validate_topology_annotations(service)
    if not spec.get("ports") and not is_headless(spec) and spec.get("type") != "ExternalName":
        yield required(_SPEC.child("ports"))
    yield from _validate_type_rules(spec)
    yield from _validate_ports(spec)
    yield from labels(spec.get("selector", {}), _SPEC.child("selector"))
    yield from _validate_session_affinity(spec)
    yield from validate_cluster_ips(spec, old_spec)
    yield from _validate_external_ips(spec, old_spec)
    yield from required_one_of(spec.get("type", ""), _SPEC.child("type"), SERVICE_TYPES)
    yield from _validate_node_ports(spec)
    yield from _validate_unique_ports(spec)
    yield from _validate_source_ranges(service, old)
    yield from _validate_allocate_node_ports(spec)
    yield from _validate_load_balancer_class(spec, {})
    yield from _validate_external_traffic(spec)
    yield from _validate_internal_traffic(spec)


def _validate_topology_annotations(service: dict[str, Any]) -> Iterator[FieldError]:
    annotations = service.get("metadata", {}).get("annotations", {})
    mode, hints = annotations.get(TOPOLOGY_MODE), annotations.get(TOPOLOGY_HINTS)
    if mode is not None and hints is not None and mode != hints:
        path = Path("metadata").child("annotations").key(TOPOLOGY_MODE)
        yield invalid(path, mode, f"must match annotations[{TOPOLOGY_HINTS}] when both are specified")


def _validate_type_rules(spec: dict[str, Any]) -> Iterator[FieldError]:
    kind = spec.get("type")
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        yield invalid(_SPEC.child("clusterIPs").index(0), "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(name):
                yield forbidden(_SPEC.child(name), "may not be set for ExternalName services")
        canonical_name = spec.get("externalName", "").removesuffix(".")
        yield from required_name(canonical_name, _SPEC.child("externalName"), names.dns_subdomain)


def _validate_ports(spec: dict[str, Any]) -> Iterator[FieldError]:
    ports = spec.get("ports", [])
    seen: set[str] = set()
    for index, port in enumerate(ports):
        path = _SPEC.child("ports").index(index)
        name = port.get("name", "")
        if name:
            yield from malformed(path.child("name"), name, names.dns_label(name))
            if name in seen:
                yield duplicate(path.child("name"), name)
            seen.add(name)
        elif len(ports) > 1:
            yield required(path.child("name"))
        yield from port_number(port.get("port", 0), path.child("port"))
        yield from protocol(port.get("protocol", ""), path.child("protocol"))
        yield from port_number_or_name(port.get("targetPort", 0), path.child("targetPort"))
        if "appProtocol" in port:
            yield from label_name(port["appProtocol"], path.child("appProtocol"))


def _validate_session_affinity(spec: dict[str, Any]) -> Iterator[FieldError]:
    affinity, path = spec.get("sessionAffinity", ""), _SPEC.child("sessionAffinityConfig")
    yield from required_one_of(affinity, _SPEC.child("sessionAffinity"), SESSION_AFFINITIES)
    if affinity == "None" and "sessionAffinityConfig" in spec:
        yield forbidden(path, "must not be set when session affinity is None")
    elif affinity == "ClientIP":
        seconds = spec.get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds")
        if seconds is None:
            yield required(path, "when session affinity type is ClientIP")
        elif not 0 < seconds <= MAX_CLIENT_IP_AFFINITY_SECONDS:
            limits = f"must be greater than 0 and less than {MAX_CLIENT_IP_AFFINITY_SECONDS}"
            yield invalid(path.child("clientIP").child("timeoutSeconds"), seconds, limits)


def _validate_external_ips(spec: dict[str, Any], old_spec: dict[str, Any]) -> Iterator[FieldError]:
    for index, address in enumerate(spec.get("externalIPs", ())):
        path = _SPEC.child("externalIPs").index(index)
        errors = list(validate_address(address, path, accepted_before=old_spec.get("externalIPs", ())))
        yield from errors or validate_endpoint_address(address, path)


def _validate_node_ports(spec: dict[str, Any]) -> Iterator[FieldError]:
    ports = list(enumerate(spec.get("ports", ())))
    if spec.get("type") == "ClusterIP":
        for index, port in ports:
            if port.get("nodePort"):
                path = _SPEC.child("ports").index(index).child("nodePort")
                yield forbidden(path, "may not be used when `type` is 'ClusterIP'")
    seen = set()
    for index, port in ports:
        pair = port.get("protocol"), port.get("nodePort", 0)
        if pair in seen and pair[1]:
            yield duplicate(_SPEC.child("ports").index(index).child("nodePort"), pair[1])
        seen.add(pair)


def _validate_unique_ports(spec: dict[str, Any]) -> Iterator[FieldError]:
    seen = set()
    for index, port in enumerate(spec.get("ports", ())):
        pair = port.get("protocol", ""), port.get("port", 0)
        if pair in seen:
            yield duplicate(_SPEC.child("ports").index(index), _internal_port(*pair))
        seen.add(pair)


def _internal_port(protocol: str, port: int) -> dict[str, Any]:
    """A port as the server's internal type prints it, with only what must be unique set."""
    return {"Name": "", "Protocol": protocol, "AppProtocol": None, "Port": port, "TargetPort": 0, "NodePort": 0}


def _validate_source_ranges(service: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    spec, old_spec = service.get("spec", {}), old.get("spec", {})
    only_load_balancers = "may only be used when `type` is 'LoadBalancer'"
    if ranges := spec.get("loadBalancerSourceRanges"):
        path = _SPEC.child("LoadBalancerSourceRanges")
        if spec.get("type") != "LoadBalancer":
            yield forbidden(path, only_load_balancers)
        before = [text.strip() for text in old_spec.get("loadBalancerSourceRanges", ())]
        for index, text in enumerate(ranges):
            yield from validate_network(text.strip(), path.index(index), accepted_before=before)
        return
    listed = service.get("metadata", {}).get("annotations", {}).get(SOURCE_RANGES)
    if listed is None:
        return
    path = Path("metadata").child("annotations").key(SOURCE_RANGES)
    if spec.get("type") != "LoadBalancer":
        yield forbidden(path, only_load_balancers)
    if listed != old.get("metadata", {}).get("annotations", {}).get(SOURCE_RANGES) and listed.strip():
        for text in listed.split(","):
            yield from validate_network(text.strip(), path)


def _validate_allocate_node_ports(spec: dict[str, Any]) -> Iterator[FieldError]:
    balanced, given = spec.get("type") == "LoadBalancer", "allocateLoadBalancerNodePorts" in spec
    if given and not balanced:
        path = _SPEC.child("allocateLoadBalancerNodePorts")
        yield forbidden(path, "may only be used when `type` is 'LoadBalancer'")
    if balanced and not given:
        yield required(Path("allocateLoadBalancerNodePorts"))


def _validate_load_balancer_class(spec: dict[str, Any], old_spec: dict[str, Any]) -> Iterator[FieldError]:
    path, name = _SPEC.child("loadBalancerClass"), spec.get("loadBalancerClass")
    if spec.get("type") != "LoadBalancer":
        if name is not None:
            yield forbidden(path, "may only be used when `type` is 'LoadBalancer'")
        return
    if old_spec.get("type") == "LoadBalancer" and name != old_spec.get("loadBalancerClass"):
        yield invalid(path, name, "may not change once set")
    if name is not None:
        yield from label_name(name, path)


def needs_health_check(spec: dict[str, Any]) -> bool:
    """Whether nodes must tell the load balancer if they have an endpoint of the Service."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _validate_health_check_unchanged(spec: dict[str, Any], old_spec: dict[str, Any]) -> Iterator[FieldError]:
    both_checked = needs_health_check(spec) and needs_health_check(old_spec)
    if both_checked and spec.get("healthCheckNodePort") != old_spec.get("healthCheckNodePort"):
        yield forbidden(_SPEC.child("healthCheckNodePort"), "field is immutable")


def _validate_external_traffic(spec: dict[str, Any]) -> Iterator[FieldError]:
    path, policy = _SPEC.child("externalTrafficPolicy"), spec.get("externalTrafficPolicy", "")
    if externally_accessible(spec):
        yield from required_one_of(policy, path, TRAFFIC_POLICIES)
    elif policy:
        yield invalid(path, policy, "may only be set for externally-accessible services")
    path, port = _SPEC.child("healthCheckNodePort"), spec.get("healthCheckNodePort", 0)
    if needs_health_check(spec):
        yield from port_number(port, path) if port else [required(path)]
    elif port:
        only = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid(path, port, only)


def _validate_internal_traffic(spec: dict[str, Any]) -> Iterator[FieldError]:
    path, policy = _SPEC.child("internalTrafficPolicy"), spec.get("internalTrafficPolicy")
    if policy is not None:
        yield from one_of(policy, path, TRAFFIC_POLICIES)
    elif spec.get("type") in ROUTED_TYPES:
        yield required(path)
    if "trafficDistribution" in spec:
        yield from one_of(spec["trafficDistribution"], _SPEC.child("trafficDistribution"), TRAFFIC_DISTRIBUTIONS)


def _validate_load_balancer_status(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    path = Path("status").child("loadBalancer").child("ingress")
    ingresses = new.get("status", {}).get("loadBalancer", {}).get("ingress", ())
    if ingresses and new["spec"].get("type") != "LoadBalancer":
        yield forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    before = [one.get("ip") for one in old.get("status", {}).get("loadBalancer", {}).get("ingress", ())]
    for index, ingress in enumerate(ingresses):
        here, address, mode = path.index(index), ingress.get("ip", ""), ingress.get("ipMode")
        yield from validate_address(address, here.child("ip"), accepted_before=before) if address else ()
        if mode is None and address:
            yield required(here.child("ipMode"), "must be specified when `ip` is set")
        elif mode is not None and not address:
            yield forbidden(here.child("ipMode"), "may not be specified when `ip` is not set")
        elif mode is not None:
            yield from one_of(mode, here.child("ipMode"), ("Proxy", "VIP"))
        yield from validate_load_balancer_hostname(ingress.get("hostname", ""), here.child("hostname"))


def validate_load_balancer_hostname(hostname: str, path: Path) -> Iterator[FieldError]:
    """A DNS name under which a load balancer is reached; may be left out."""
    if not hostname:
        return
    yield from malformed(path, hostname, names.dns_subdomain(hostname))
    if parse_address(hostname):
        yield invalid(path, hostname, "must be a DNS name, not an IP address")
