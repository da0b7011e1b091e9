"""Services: cluster IPs and node ports are taken from their ranges before a Service is validated.

What is taken is read off the Services that exist, so that nothing can leak and a fork needs no state of its own.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.errors import InternalError, Unclassified
from autograder.controlplane.apimachinery.field import Path
from autograder.controlplane.apimachinery.scheme import ENDPOINTS, SERVICES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.preparing import service_fields
from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.registry.node_ports import NodePorts
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.rules import required_name
from autograder.controlplane.kube_apiserver.validation.services import needs_health_check

NETWORK: Final = ipaddress.IPv4Network("10.96.0.0/16")
#: The first addresses are kept for Services that ask for a fixed one, such as DNS.
DYNAMIC_FROM: Final = 256

_SPEC = Path("spec")
_PARENT_NAME = _SPEC.child("parentRef").child("name")


class ServiceRegistry(Registry):
    """The Services and the addresses they hold."""

    def begin_create(self, attributes: Attributes, obj: Object) -> None:
        self._refuse(obj, service_fields.complete(obj, None))
        self._allocate(attributes, obj, {})

    def begin_update(self, attributes: Attributes, new: Object, old: Object) -> None:
        if not attributes.subresource:
            self._refuse(new, service_fields.complete(new, old))
            self._allocate(attributes, new, old["spec"])

    def finish_delete(self, attributes: Attributes, obj: Object) -> None:
        meta = obj["metadata"]
        key = ENDPOINTS.storage_key(meta["namespace"], meta["name"])
        if self.backend.store.get(key):
            self.backend.store.delete(key, expected=None)

    def _allocate(self, attributes: Attributes, obj: Object, before: Object) -> None:
        spec = obj["spec"]
        others = [
            one["spec"]
            for one in self.backend.read_all(SERVICES)
            if not before
            or (one["metadata"]["namespace"], one["metadata"]["name"])
            != (obj["metadata"].get("namespace"), obj["metadata"].get("name"))
        ]
        if service_fields.needs_cluster_ip(spec) and before.get("type", "ExternalName") == "ExternalName":
            addresses = {address for one in others for address in one.get("clusterIPs", ())}
            self._allocate_address(attributes, obj, addresses)
        taken = {port["nodePort"] for one in others for port in one.get("ports", ()) if "nodePort" in port}
        taken |= {one["healthCheckNodePort"] for one in others if one.get("healthCheckNodePort")}
        ports = NodePorts(self.backend, taken, dry_run=attributes.dry_run)
        if spec["type"] in service_fields.WITH_NODE_PORTS and before:
            self._change_node_ports(obj, before, ports)
        elif spec["type"] in service_fields.WITH_NODE_PORTS:
            self._allocate_node_ports(obj, ports)
        if not needs_health_check(spec):
            return
        asked, had = spec.get("healthCheckNodePort"), before.get("healthCheckNodePort")
        if not asked:
            spec["healthCheckNodePort"] = ports.free()
        elif asked != had and (problem := ports.take(asked)):
            raise InternalError.because(f"failed to allocate requested HealthCheck NodePort {asked}: {problem}")

    def _allocate_address(self, attributes: Attributes, obj: Object, taken: set[str]) -> None:
        spec = obj["spec"]
        asked = spec.get("clusterIP", "")
        if asked == "None":
            return
        name = obj["metadata"].get("name", "")
        wrong = [str(error) for error in required_name(name, _PARENT_NAME, names.path_segment)]
        if not asked:
            free = str(NETWORK.network_address) if attributes.dry_run else self._free_address(obj, taken)
            if wrong:
                detail = f"failed to allocate IP: {_bad_address(free, wrong)}"
                self._refuse(obj, [field.invalid(_SPEC.child("clusterIPs"), [""], detail)])
            spec["clusterIP"], spec["clusterIPs"] = free, [free]
            return
        address = ipaddress.ip_address(asked)
        problem = ""
        if address not in NETWORK or address in (NETWORK.network_address, NETWORK.broadcast_address):
            problem = "the provided network does not match the current range"
        elif asked in taken and not attributes.dry_run:
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

    def _allocate_node_ports(self, obj: Object, ports: NodePorts) -> None:
        """Ports of a new Service.  Entries of one port number share a node port, as DNS on TCP and UDP wants it."""
        spec = obj["spec"]
        every = service_fields.gets_node_ports(spec)
        shared: dict[int, int] = {}
        for index, port in enumerate(spec.get("ports", ())):
            asked, number = port.get("nodePort", 0), port["port"]
            if not (asked or every):
                continue
            if number not in shared:
                given = (one.get("nodePort", 0) for one in spec["ports"] if one["port"] == number)
                wanted = next((one for one in given if one), 0)
                shared[number] = self._take(obj, index, wanted, ports) if wanted else ports.free()
                port["nodePort"] = shared[number]
            elif not asked:
                port["nodePort"] = shared[number]
            elif asked != shared[number]:
                self._take(obj, index, asked, ports)

    def _change_node_ports(self, obj: Object, before: Object, ports: NodePorts) -> None:
        """Ports of a Service that was there before, which keeps what it had."""
        every = service_fields.gets_node_ports(obj["spec"])
        own = {port["nodePort"] for port in before.get("ports", ()) if "nodePort" in port}
        for number in own:
            ports.take(number)
        new: list[tuple[str, int]] = []
        for index, port in enumerate(obj["spec"].get("ports", ())):
            asked = port.get("nodePort", 0)
            if not (asked or every):
                continue
            if not asked:
                port["nodePort"] = ports.free()
            elif asked not in own:
                own.add(self._take(obj, index, asked, ports))
            entry = (port["protocol"], port["nodePort"])
            if entry in new:
                raise Unclassified(f"duplicate nodePort: {{{entry[0]} {entry[1]}}}")
            new.append(entry)

    def _take(self, obj: Object, index: int, number: int, ports: NodePorts) -> int:
        """The node port that a client asks for."""
        if problem := ports.take(number):
            path = _SPEC.child("ports").index(index).child("nodePort")
            self._refuse(obj, [field.invalid(path, number, problem)])
        return number


def _bad_address(address: str, wrong: list[str]) -> str:
    """What is said of the IPAddress object that a real server makes for the Service."""
    listed = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
    return f'IPAddress.networking.k8s.io "{address}" is invalid: {listed}'
