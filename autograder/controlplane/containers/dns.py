"""Names as containers look them up: services across namespaces, headless services, single pods, external names.

``resolve`` looks a name up as the resolver of a container does, along its search path, in the zone ``cluster.local``
that CoreDNS keeps.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final, NamedTuple

from autograder.controlplane.containers.network import Unresolved

DOMAIN: Final = "cluster.local"
#: The address of the Service ``kube-dns``, which kubelets tell their pods.
NAME_SERVER: Final = "10.96.0.10"
#: A name with fewer dots than this is tried along the search path first (``ndots`` of a pod's resolv.conf).
NDOTS: Final = 5
MAX_ALIASES: Final = 8


class Record(NamedTuple):
    """What is known of one service: its addresses, those of its named endpoints, and the name it stands for."""

    addresses: tuple[str, ...]
    hosts: tuple[tuple[str, str], ...] = ()
    alias: str = ""


class Zone(NamedTuple):
    """The zone ``cluster.local``, by ``(namespace, service)``; empty where there is no cluster DNS."""

    services: Mapping[tuple[str, str], Record] = {}


def resolve(zone: Zone, name: str, namespace: str) -> list[str]:
    """The full name and the addresses of a name, as a pod of a namespace looks it up; raises ``Unresolved``."""
    if is_address(name):
        return [name, name]
    searched = [f"{name}.{suffix}" for suffix in (f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN)]
    plain = name.rstrip(".")
    if name.endswith("."):
        candidates = [plain]
    elif name.count(".") < NDOTS:
        candidates = [*searched, plain]
    else:
        candidates = [plain, *searched]
    for candidate in candidates:
        addresses = _lookup(zone, candidate, MAX_ALIASES)
        if addresses:
            return [candidate, *addresses]
    raise Unresolved(name)


def resolv_conf(namespace: str) -> str:
    """The ``/etc/resolv.conf`` that the kubelet gives to a pod which asks the cluster's name server."""
    search = f"{namespace}.svc.{DOMAIN} svc.{DOMAIN} {DOMAIN}"
    return f"search {search}\nnameserver {NAME_SERVER}\noptions ndots:{NDOTS}\n"


def is_address(text: str) -> bool:
    """Whether a host is an address, which nobody has to look up."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _lookup(zone: Zone, name: str, aliases: int) -> tuple[str, ...]:
    """The addresses of a full name, or none."""
    labels = name.lower().split(".")
    if labels[-2:] != DOMAIN.split(".") or len(labels) < 4:
        return ()
    labels = labels[:-2]
    match labels:
        case [service, namespace, "svc"]:
            record = zone.services.get((namespace, service))
            if record is None:
                return ()
            if record.alias and aliases:
                return (record.alias,) if is_address(record.alias) else _lookup(zone, record.alias, aliases - 1)
            return record.addresses
        case [host, service, namespace, "svc"]:
            record = zone.services.get((namespace, service))
            return tuple(address for known, address in record.hosts if known == host) if record else ()
        case [dashed, _, "pod"]:
            address = dashed.replace("-", ".")
            return (address,) if is_address(address) else ()
    return ()
