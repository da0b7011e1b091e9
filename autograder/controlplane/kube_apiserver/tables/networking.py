"""The tables of Services and what is behind and before them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from autograder.controlplane.apimachinery.classes import is_default
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.tables.printer import (
    AGE,
    NAME,
    NONE,
    UNSET,
    Column,
    Printer,
    age_of,
    labels,
    name_of,
    selector_or_none,
)

#: How many endpoints, ports or hosts a cell lists before it says how many more there are.
SHOWN: Final = 3


def _service(obj: Object, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    addresses = spec.get("clusterIPs") or (NONE,)
    return [
        name_of(obj),
        spec.get("type", ""),
        addresses[0],
        _external_ip(spec, obj.get("status") or {}),
        ",".join(_service_port(port) for port in spec.get("ports") or ()) or NONE,
        age_of(obj, now),
        labels(spec.get("selector")),
    ]


def _external_ip(spec: Object, status: Object) -> str:
    external = list(spec.get("externalIPs") or ())
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(external) or NONE
        case "LoadBalancer":
            return ",".join(_load_balancers(status) + external) or "<pending>"
        case "ExternalName":
            return str(spec.get("externalName", ""))
    return "<unknown>"


def _load_balancers(status: Object) -> list[str]:
    points = (status.get("loadBalancer") or {}).get("ingress") or ()
    return sorted({address for point in points if (address := point.get("ip") or point.get("hostname"))})


def _service_port(port: Object) -> str:
    number, node_port = port.get("port", 0), port.get("nodePort", 0)
    return f"{number}:{node_port}/{port.get('protocol')}" if node_port else f"{number}/{port.get('protocol')}"


def _endpoints(obj: Object, now: int) -> list[Any]:
    subsets = obj.get("subsets") or ()
    listed = [
        _host_port(address["ip"], port) if port else address["ip"]
        for subset in subsets
        for port in [p.get("port", 0) for p in subset.get("ports") or ()] or [None]
        for address in subset.get("addresses") or ()
    ]
    return [name_of(obj), _some(listed, len(listed)) if subsets else NONE, age_of(obj, now)]


def _host_port(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _endpoint_slice(obj: Object, now: int) -> list[Any]:
    ports = [_slice_port(port) for port in obj.get("ports") or ()]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return [
        name_of(obj),
        obj.get("addressType", ""),
        _some(ports, len(ports)) or UNSET,
        _some(addresses, len(addresses)) or UNSET,
        age_of(obj, now),
    ]


def _slice_port(port: Object) -> str:
    if port.get("port") is not None:
        return str(port["port"])
    return "*" if port.get("name") is None else str(port["name"])


def _some(listed: Iterable[str], count: int) -> str:
    """The first few of a list, and how many of ``count`` are not shown."""
    text = ",".join(list(listed)[:SHOWN])
    return f"{text} + {count - SHOWN} more..." if count > SHOWN else text


def _ingress(obj: Object, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name_of(obj),
        NONE if spec.get("ingressClassName") is None else spec["ingressClassName"],
        _hosts(spec.get("rules") or ()),
        ",".join(_load_balancers(obj.get("status") or {})),
        "80, 443" if spec.get("tls") else "80",
        age_of(obj, now),
    ]


def _hosts(rules: Sequence[Object]) -> str:
    """The first hosts; what follows them is counted by rules, whether these have a host or not."""
    having = [position for position, rule in enumerate(rules) if rule.get("host")][:SHOWN]
    more = len(having) == SHOWN and having[-1] < len(rules) - 1
    return _some([rules[position]["host"] for position in having], len(rules) if more else 0) or "*"


def _ingress_class(obj: Object, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name_of(obj) + (" (default)" if is_default(obj) else ""),
        spec.get("controller", ""),
        _parameters(spec["parameters"]) if spec.get("parameters") else NONE,
        age_of(obj, now),
    ]


def _parameters(reference: Object) -> str:
    group = reference.get("apiGroup")
    return f"{reference['kind']}{f'.{group}' if group else ''}/{reference['name']}"


def _network_policy(obj: Object, now: int) -> list[Any]:
    return [name_of(obj), selector_or_none((obj.get("spec") or {}).get("podSelector")), age_of(obj, now)]


PRINTERS: Final = {
    ("", "Service"): Printer(
        (
            NAME,
            Column("Type", "core.v1.ServiceSpec.type"),
            Column("Cluster-IP", "core.v1.ServiceSpec.clusterIP"),
            Column("External-IP", "core.v1.ServiceSpec.externalIPs"),
            Column("Port(s)", "core.v1.ServiceSpec.ports"),
            AGE,
            Column("Selector", "core.v1.ServiceSpec.selector", priority=1),
        ),
        _service,
    ),
    ("", "Endpoints"): Printer((NAME, Column("Endpoints", "core.v1.Endpoints.subsets"), AGE), _endpoints),
    ("discovery.k8s.io", "EndpointSlice"): Printer(
        (
            NAME,
            Column("AddressType", "discovery.v1.EndpointSlice.addressType"),
            Column("Ports", "discovery.v1.EndpointSlice.ports"),
            Column("Endpoints", "discovery.v1.EndpointSlice.endpoints"),
            AGE,
        ),
        _endpoint_slice,
    ),
    ("networking.k8s.io", "Ingress"): Printer(
        (
            NAME,
            Column(
                "Class", text="The name of the IngressClass resource that should be used for additional configuration"
            ),
            Column("Hosts", text="Hosts that incoming requests are matched against before the ingress rule"),
            Column("Address", text="Address is a list containing ingress points for the load-balancer"),
            Column("Ports", text="Ports of TLS configurations that open"),
            AGE,
        ),
        _ingress,
    ),
    ("networking.k8s.io", "IngressClass"): Printer(
        (
            NAME,
            Column("Controller", text="Controller that is responsible for handling this class"),
            Column("Parameters", text="A reference to a resource with additional parameters"),
            AGE,
        ),
        _ingress_class,
    ),
    ("networking.k8s.io", "NetworkPolicy"): Printer(
        (NAME, Column("Pod-Selector", "networking.v1.NetworkPolicySpec.podSelector"), AGE), _network_policy
    ),
}
