"""Service rules as data, from a Service and its EndpointSlices.

What counts as an endpoint, and what policies mean, follows pkg/proxy/{serviceport,endpoint,topology}.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.containers.routing import Endpoint, Rules, ServicePort

_DEFAULT_AFFINITY = 10800


def service_ports(service: Object, slices: Iterable[Object]) -> list[ServicePort]:
    """The ports of a service that get rules: none for headless and external ones."""
    spec, meta = service["spec"], service["metadata"]
    address = spec.get("clusterIP", "")
    if spec.get("type") == "ExternalName" or address in ("", "None"):
        return []
    balancers = tuple(
        entry["ip"] for entry in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        if "ip" in entry
    )  # fmt: skip
    affinity = 0
    if spec.get("sessionAffinity") == "ClientIP":
        config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        affinity = config.get("timeoutSeconds", _DEFAULT_AFFINITY)
    pieces = list(slices)
    return [
        ServicePort(
            meta["namespace"], meta["name"], port.get("name", ""), port.get("protocol", "TCP"), port["port"],
            tuple(spec.get("clusterIPs") or (address,)), (*(spec.get("externalIPs") or ()), *balancers),
            port.get("nodePort", 0), affinity, spec.get("internalTrafficPolicy") == "Local",
            spec.get("externalTrafficPolicy") == "Local",
            endpoints_of(pieces, port.get("name", ""), port.get("protocol", "TCP")),
        )
        for port in spec.get("ports") or ()
    ]  # fmt: skip


def endpoints_of(slices: Iterable[Object], port_name: str, protocol: str) -> tuple[Endpoint, ...]:
    """The endpoints of one port, each once, in the order of their addresses."""
    found: dict[tuple[str, int], Endpoint] = {}
    for piece in slices:
        numbers = [
            port["port"] for port in piece.get("ports") or ()
            if port.get("port") and (port.get("name") or "") == port_name and port.get("protocol", "TCP") == protocol
        ]  # fmt: skip
        for endpoint in piece.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            ready = conditions.get("ready", True)
            for number in numbers:
                address = endpoint["addresses"][0]
                found[address, number] = Endpoint(
                    address, number, endpoint.get("nodeName", ""), ready, conditions.get("serving", ready),
                    conditions.get("terminating", False),
                )  # fmt: skip
    return tuple(found[key] for key in sorted(found))


def changed(rules: Rules, services: Mapping[tuple[str, str], list[ServicePort]]) -> Rules:
    """Rules in which some services have new ports (or none any more)."""
    gone = set(services)
    ports = {key: port for key, port in rules.ports.items() if key[:2] not in gone}
    by_address = {key: port for key, port in rules.by_address.items() if (port.namespace, port.name) not in gone}
    by_node_port = {key: port for key, port in rules.by_node_port.items() if (port.namespace, port.name) not in gone}
    for name in sorted(services):
        for port in services[name]:
            ports[(*name, f"{port.port_name}/{port.protocol}")] = port
            if port.protocol != "TCP" and any((address, port.port) in by_address for address in port.cluster_ips):
                # Names are asked for over UDP and TCP alike: one rule is enough for both.
                continue
            for address in (*port.cluster_ips, *port.external_ips):
                by_address[address, port.port] = port
            if port.node_port:
                by_node_port[port.node_port] = port
    return Rules(ports, by_address, by_node_port)
