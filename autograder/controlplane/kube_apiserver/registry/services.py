"""Services: cluster IPs and node ports are taken from their ranges before a Service is validated.

What is taken is read off the Services that exist, so that nothing can leak and a fork needs no state of its own.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.errors import InternalError
from autograder.controlplane.apimachinery.field import Path
from autograder.controlplane.apimachinery.scheme import ENDPOINTS, SERVICES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.registry import service_fields
from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.rules import required_name
from autograder.controlplane.kube_apiserver.validation.services import needs_health_check

NETWORK: Final = ipaddress.IPv4Network("10.96.0.0/16")
#: The first addresses are kept for Services that ask for a fixed one, such as DNS.
DYNAMIC_FROM: Final = 256
NODE_PORTS: Final = range(30000, 32768)
#: The first node ports are kept for Services that ask for a fixed one.
DYNAMIC_NODE_PORTS: Final = range(30086, 32768)

_SPEC = Path("spec")
_PARENT_NAME = _SPEC.child("parentRef").child("name")


class ServiceRegistry(Registry):
    """The Services and the addresses they hold."""

    def begin_create(self, attributes: Attributes, obj: Object) -> None:
        self._refuse(obj, service_fields.complete(obj, None))
        self._allocate(obj, {})

    def begin_update(self, attributes: Attributes, new: Object, old: Object) -> None:
        if not attributes.subresource:
            self._refuse(new, service_fields.complete(new, old))
            self._allocate(new, old["spec"])

    def finish_delete(self, attributes: Attributes, obj: Object) -> None:
        meta = obj["metadata"]
        key = ENDPOINTS.storage_key(meta["namespace"], meta["name"])
        if self.backend.store.get(key):
            self.backend.store.delete(key, expected=None)

    def _allocate(self, obj: Object, before: Object) -> None:
        spec = obj["spec"]
        others = [
            one["spec"]
            for one in self.backend.read_all(SERVICES)
            if (one["metadata"]["namespace"], one["metadata"]["name"])
            != (obj["metadata"].get("namespace"), obj["metadata"].get("name"))
        ]
        if service_fields.needs_cluster_ip(spec) and before.get("type", "ExternalName") == "ExternalName":
            self._allocate_address(obj, {address for one in others for address in one.get("clusterIPs", ())})
        ports = [port for one in others for port in one.get("ports", ()) if "nodePort" in port]
        taken = {(port["protocol"], port["nodePort"]) for port in ports}
        taken |= {("TCP", one["healthCheckNodePort"]) for one in others if one.get("healthCheckNodePort")}
        self._allocate_node_ports(obj, before, taken)
        if not needs_health_check(spec):
            return
        asked, had = spec.get("healthCheckNodePort"), before.get("healthCheckNodePort")
        if not asked:
            spec["healthCheckNodePort"] = self._free_port(obj, "TCP", taken)
        elif asked != had and (problem := _port_problem("TCP", asked, taken)):
            raise InternalError.because(f"failed to allocate requested HealthCheck NodePort {asked}: {problem}")

    def _allocate_address(self, obj: Object, taken: set[str]) -> None:
        spec = obj["spec"]
        asked = spec.get("clusterIP", "")
        if asked == "None":
            return
        name = obj["metadata"].get("name", "")
        wrong = [str(error) for error in required_name(name, _PARENT_NAME, names.path_segment)]
        if not asked:
            free = self._free_address(obj, taken)
            if wrong:
                detail = f"failed to allocate IP: {_bad_address(free, wrong)}"
                self._refuse(obj, [field.invalid(_SPEC.child("clusterIPs"), [""], detail)])
            spec["clusterIP"], spec["clusterIPs"] = free, [free]
            return
        address = ipaddress.ip_address(asked)
        problem = ""
        if address not in NETWORK or address in (NETWORK.network_address, NETWORK.broadcast_address):
            problem = "the provided network does not match the current range"
        elif asked in taken:
            problem = "provided IP is already allocated"
        elif wrong:
            problem = _bad_address(asked, wrong)
        if problem:
            detail = f"failed to allocate IP {asked}: {problem}"
            self._refuse(obj, [field.invalid(_SPEC.child("clusterIPs"), spec["clusterIPs"], detail)])

    def _free_address(self, obj: Object, taken: set[str]) -> str:
        last = NETWORK.num_addresses - 2
        start = self.backend.pick(DYNAMIC_FROM, last)
        for offset in (*range(start, last + 1), *range(DYNAMIC_FROM, start), *range(1, DYNAMIC_FROM)):
            address = str(NETWORK[offset])
            if address not in taken:
                return address
        why = f'failed to allocate a serviceIP for Service "{obj["metadata"]["name"]}": range is full'
        raise InternalError.because(why)

    def _allocate_node_ports(self, obj: Object, before: Object, taken: set[tuple[str, int]]) -> None:
        spec = obj["spec"]
        own = {(port["protocol"], port["nodePort"]) for port in before.get("ports", ()) if "nodePort" in port}
        given: dict[int, set[str]] = {}
        if spec["type"] in service_fields.WITH_NODE_PORTS:
            for index, port in enumerate(spec.get("ports", ())):
                number = port.get("nodePort")
                if not number:
                    continue
                self._check_port(obj, index, port, (taken - own) if number not in given else set())
                given.setdefault(number, set()).add(port["protocol"])
                taken.add((port["protocol"], number))
        if service_fields.gets_node_ports(spec):
            for port in spec.get("ports", ()):
                if not port.get("nodePort"):
                    same = self._shared_number(spec, port, list(given))
                    number = same or self._free_port(obj, port["protocol"], taken)
                    port["nodePort"] = number
                    given.setdefault(number, set()).add(port["protocol"])
                    taken.add((port["protocol"], number))

    @staticmethod
    def _shared_number(spec: Object, port: Object, candidates: list[int]) -> int:
        """Entries of one port number share a node port, as DNS on TCP and UDP wants it; 0 when there is none."""
        for other in spec.get("ports", ()):
            if other is not port and other["port"] == port["port"] and other.get("nodePort") in candidates:
                number: int = other["nodePort"]
                return number
        return 0

    def _check_port(self, obj: Object, index: int, port: Object, taken: set[tuple[str, int]]) -> None:
        number = port["nodePort"]
        if problem := _port_problem(port["protocol"], number, taken):
            path = _SPEC.child("ports").index(index).child("nodePort")
            self._refuse(obj, [field.invalid(path, number, problem)])

    def _free_port(self, obj: Object, protocol: str, taken: set[tuple[str, int]]) -> int:
        start = self.backend.pick(DYNAMIC_NODE_PORTS.start, DYNAMIC_NODE_PORTS.stop - 1)
        for number in (*range(start, NODE_PORTS.stop), *range(NODE_PORTS.start, start)):
            if (protocol, number) not in taken:
                return number
        raise InternalError.because("failed to allocate a nodePort: range is full")


def _port_problem(protocol: str, number: int, taken: set[tuple[str, int]]) -> str:
    """Why a node port that a client asks for cannot be had."""
    if number not in NODE_PORTS:
        valid = f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
        return f"provided port is not in the valid range. The range of valid ports is {valid}"
    return "provided port is already allocated" if (protocol, number) in taken else ""


def _bad_address(address: str, wrong: list[str]) -> str:
    """What is said of the IPAddress object that a real server makes for the Service."""
    listed = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
    return f'IPAddress.networking.k8s.io "{address}" is invalid: {listed}'
