"""The rules for Endpoints and EndpointSlices (pkg/apis/core/validation and pkg/apis/discovery/validation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.field import (
    FieldError,
    Path,
    duplicate,
    invalid,
    required,
    too_many,
)
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.addresses import (
    family_of,
    validate_address,
    validate_canonical_address,
    validate_endpoint_address,
)
from autograder.controlplane.kube_apiserver.validation.meta import (
    immutable,
    label_name,
    labels,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed
from autograder.controlplane.kube_apiserver.validation.rules import (
    PROTOCOLS,
    one_of,
    port_number,
    protocol,
    required_one_of,
)

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
MAX_ENDPOINTS = 1000
MAX_ADDRESSES = 100
MAX_PORTS = 20000
MAX_TOPOLOGY_LABELS = 16
MAX_HINTS = 8
#: The field of each kind of hint, and the form of the names in it.
HINTS = (("forZones", names.label_value), ("forNodes", names.dns_subdomain))


def validate_endpoint_slice(endpoint_slice: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new EndpointSlice."""
    return _validate_slice(endpoint_slice, None)


def validate_endpoint_slice_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; the type of the addresses stays."""
    kind, before = new.get("addressType", ""), old.get("addressType", "")
    return [*_validate_slice(new, old.get("endpoints") or []), *immutable(kind, before, Path("addressType"))]


def validate_endpoints(endpoints: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with new Endpoints."""
    return [*validate_metadata(endpoints["metadata"], namespaced=True), *_validate_subsets(endpoints)]


def validate_endpoints_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; subsets that stay are not looked at again."""
    same = new.get("subsets") == old.get("subsets")
    return [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *validate_metadata(new["metadata"], namespaced=True),
        *([] if same else _validate_subsets(new)),
    ]


def _validate_slice(endpoint_slice: dict[str, Any], endpoints_before: list[Any] | None) -> list[FieldError]:
    kind, endpoints = endpoint_slice.get("addressType", ""), endpoint_slice.get("endpoints") or []
    errors = [
        *validate_metadata(endpoint_slice["metadata"], namespaced=True),
        *required_one_of(kind, Path("addressType"), ADDRESS_TYPES),
        *_validate_slice_ports(endpoint_slice.get("ports") or []),
    ]
    if endpoints != endpoints_before:
        errors += _validate_slice_endpoints(endpoints, kind)
    return errors


def _validate_slice_ports(ports: list[dict[str, Any]]) -> Iterator[FieldError]:
    if len(ports) > MAX_PORTS:
        yield too_many(Path("ports"), len(ports), MAX_PORTS)
        return
    seen = set()
    for index, port in enumerate(ports):
        path, name = Path("ports").index(index), port.get("name", "")
        if name:
            yield from malformed(path.child("name"), name, names.dns_label(name))
        if name in seen:
            yield duplicate(path.child("name"), name)
        seen.add(name)
        if "protocol" in port:
            yield from one_of(port["protocol"], path.child("protocol"), PROTOCOLS)
        else:
            yield required(path.child("protocol"))
        if "appProtocol" in port:
            yield from label_name(port["appProtocol"], path.child("appProtocol"))


def _validate_slice_endpoints(endpoints: list[dict[str, Any]], kind: str) -> Iterator[FieldError]:
    if len(endpoints) > MAX_ENDPOINTS:
        yield too_many(Path("endpoints"), len(endpoints), MAX_ENDPOINTS)
        return
    for index, endpoint in enumerate(endpoints):
        path, addresses = Path("endpoints").index(index), endpoint.get("addresses") or []
        here = path.child("addresses")
        if not addresses:
            yield required(here, "must contain at least 1 address")
        elif len(addresses) > MAX_ADDRESSES:
            yield too_many(here, len(addresses), MAX_ADDRESSES)
        for number, address in enumerate(addresses):
            yield from _validate_slice_address(address, kind, here, number)
        if "nodeName" in endpoint:
            node = endpoint["nodeName"]
            yield from malformed(path.child("nodeName"), node, names.dns_subdomain(node))
        yield from _validate_topology(endpoint.get("deprecatedTopology", {}), path.child("deprecatedTopology"))
        if "hostname" in endpoint:
            yield from malformed(path.child("hostname"), endpoint["hostname"], names.dns_label(endpoint["hostname"]))
        yield from _validate_hints(endpoint.get("hints", {}), path.child("hints"))


def _validate_slice_address(address: str, kind: str, path: Path, index: int) -> Iterator[FieldError]:
    here = path.index(index)
    if kind == "FQDN":
        yield from _validate_full_domain_name(address, here)
    elif kind in ("IPv4", "IPv6"):
        rule = validate_address if kind == "IPv4" else validate_canonical_address
        errors = list(rule(address, here))
        yield from errors
        if not errors:
            if family_of(address) != kind:
                yield invalid(path, address, f"must be an {kind} address")
            yield from validate_endpoint_address(address, here)


def _validate_full_domain_name(name: str, path: Path) -> Iterator[FieldError]:
    if not name:
        yield required(path)
        return
    bare = name.removesuffix(".")
    if problems := names.dns_subdomain(bare):
        yield invalid(path, bare, ",".join(problems))
    elif "." not in bare:
        yield invalid(path, bare, "should be a domain with at least two segments separated by dots")
    else:
        malformed_labels = ((label, names.dns_label(label)) for label in bare.split("."))
        yield from (invalid(path, label, ",".join(problems)) for label, problems in malformed_labels if problems)


def _validate_topology(topology: dict[str, str], path: Path) -> Iterator[FieldError]:
    if len(topology) > MAX_TOPOLOGY_LABELS:
        yield too_many(path, len(topology), MAX_TOPOLOGY_LABELS)
    yield from labels(topology, path)


def _validate_hints(hints: dict[str, Any], path: Path) -> Iterator[FieldError]:
    for part, check in HINTS:
        places = hints.get(part, [])
        if len(places) > MAX_HINTS:
            yield too_many(path.child(part), len(places), MAX_HINTS)
            return
        seen = set()
        for index, place in enumerate(places):
            here, name = path.child(part).index(index).child("name"), place.get("name", "")
            if name in seen:
                yield duplicate(here, name)
            seen.add(name)
            yield from malformed(here, name, check(name))


def _validate_subsets(endpoints: dict[str, Any]) -> Iterator[FieldError]:
    for index, subset in enumerate(endpoints.get("subsets", ())):
        path = Path("subsets").index(index)
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield required(path, "must specify `addresses` or `notReadyAddresses`")
        for part in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(subset.get(part, ())):
                yield from _validate_subset_address(address, path.child(part).index(number))
        ports = subset.get("ports", [])
        for number, port in enumerate(ports):
            yield from _validate_subset_port(port, path.child("ports").index(number), named=len(ports) > 1)


def _validate_subset_address(address: dict[str, Any], path: Path) -> Iterator[FieldError]:
    yield from validate_address(address.get("ip", ""), path.child("ip"))
    if address.get("hostname"):
        yield from malformed(path.child("hostname"), address["hostname"], names.dns_label(address["hostname"]))
    if "nodeName" in address:
        yield from malformed(path.child("nodeName"), address["nodeName"], names.dns_subdomain(address["nodeName"]))
    yield from validate_endpoint_address(address.get("ip", ""), path.child("ip"))


def _validate_subset_port(port: dict[str, Any], path: Path, *, named: bool) -> Iterator[FieldError]:
    if port.get("name"):
        yield from malformed(path.child("name"), port["name"], names.dns_label(port["name"]))
    elif named:
        yield required(path.child("name"))
    yield from port_number(port.get("port", 0), path.child("port"))
    yield from protocol(port.get("protocol", ""), path.child("protocol"))
    if "appProtocol" in port:
        yield from label_name(port["appProtocol"], path.child("appProtocol"))
