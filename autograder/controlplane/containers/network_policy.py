"""NetworkPolicies: which connections the network lets through.

The API server only keeps the policies.  On a real cluster the network plugin enforces them, if it is one that does
(Calico, Cilium, Antrea, kindnet; not flannel); here the network of the machines does.  What counts is the connection
as it arrives: to the pod that a Service chose, and its port.  Whatever passes from a node to its own pods (probes) is
let through; pods on the network of their host are not subject to policies, and to others they are an address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.selectors import EVERYTHING, LabelSelector
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.containers.records import Sandbox


class Peer(NamedTuple):
    """One side of a connection: its address, and its pod if it is one with an address of its own."""

    ip: str
    pod: Sandbox | None = None


class Peers(NamedTuple):
    """Those whom one entry of ``from`` or ``to`` names: pods by labels, or a block of addresses."""

    namespaces: LabelSelector | None = None
    pods: LabelSelector = EVERYTHING
    block: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
    excepted: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()


class Ports(NamedTuple):
    """One entry of ``ports``: by number (up to ``end``) or by name; None is every port."""

    protocol: str
    port: int | str | None
    end: int


class Rule(NamedTuple):
    """One rule; None lets everybody, or every port, through."""

    peers: tuple[Peers, ...] | None
    ports: tuple[Ports, ...] | None


class Policy(NamedTuple):
    """A NetworkPolicy; a direction that it does not govern is None."""

    namespace: str
    pods: LabelSelector
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None


class Policies(NamedTuple):
    """All policies by namespace, and the labels of the namespaces."""

    by_namespace: Mapping[str, tuple[Policy, ...]] = {}
    labels: Mapping[str, Mapping[str, str]] = {}


NONE: Final = Policies()


def read(policies: Iterable[Object], namespaces: Iterable[Object]) -> Policies:
    """Policies as the network follows them, from the objects of the API."""
    found: dict[str, tuple[Policy, ...]] = {}
    for obj in policies:
        policy = _policy(obj)
        found[policy.namespace] = (*found.get(policy.namespace, ()), policy)
    if not found:
        return NONE
    labels = {one["metadata"]["name"]: one["metadata"].get("labels") or {} for one in namespaces}
    return Policies(found, labels)


def allows(policies: Policies, source: Peer, target: Peer, port: int, protocol: str) -> bool:
    """Whether a connection may be made: the source's policies must let it out, and the target's must let it in."""
    if not policies.by_namespace or (source.pod is not None and source.pod is target.pod):
        return True
    return all(
        any(_lets(policies, policy.namespace, rule, other, target, port, protocol) for policy, rules in governing
            for rule in rules)
        for governing, other in ((_governing(policies, source.pod, "egress"), target),
                                 (_governing(policies, target.pod, "ingress"), source))
        if governing
    )  # fmt: skip


def _governing(policies: Policies, pod: Sandbox | None, direction: str) -> list[tuple[Policy, tuple[Rule, ...]]]:
    """The policies that govern what a pod receives or sends, with their rules."""
    if pod is None:
        return []
    known = policies.by_namespace.get(pod.namespace, ())
    rules = ((policy, policy.ingress if direction == "ingress" else policy.egress) for policy in known)
    return [(policy, found) for policy, found in rules if found is not None and policy.pods.matches(pod.labels)]


def _lets(
    policies: Policies, namespace: str, rule: Rule, other: Peer, target: Peer, port: int, protocol: str
) -> bool:  # fmt: skip
    if rule.ports is not None and not any(_is_port(entry, target, port, protocol) for entry in rule.ports):
        return False
    return rule.peers is None or any(_is_peer(policies, namespace, entry, other) for entry in rule.peers)


def _is_port(entry: Ports, target: Peer, port: int, protocol: str) -> bool:
    if entry.protocol != protocol:
        return False
    if isinstance(entry.port, str):
        named = target.pod.ports if target.pod is not None else ()
        return any((one.name, one.number, one.protocol) == (entry.port, port, protocol) for one in named)
    return entry.port is None or entry.port <= port <= max(entry.end, entry.port)


def _is_peer(policies: Policies, namespace: str, entry: Peers, other: Peer) -> bool:
    if entry.block is not None:
        address = ipaddress.ip_address(other.ip)
        return address in entry.block and not any(address in block for block in entry.excepted)
    if other.pod is None:
        return False
    if entry.namespaces is None:
        near = other.pod.namespace == namespace
    else:
        near = entry.namespaces.matches(policies.labels.get(other.pod.namespace, {}))
    return near and entry.pods.matches(other.pod.labels)


def _policy(obj: Object) -> Policy:
    spec = obj["spec"]
    kinds = spec.get("policyTypes") or ()
    ingress, egress = (
        tuple(Rule(_peers(rule.get(field)), _ports(rule.get("ports"))) for rule in spec.get(kind.lower()) or ())
        if kind in kinds else None
        for kind, field in (("Ingress", "from"), ("Egress", "to"))
    )  # fmt: skip
    return Policy(obj["metadata"]["namespace"], selectors.of_object(spec.get("podSelector") or {}), ingress, egress)


def _peers(entries: list[Object] | None) -> tuple[Peers, ...] | None:
    return tuple(_peer(entry) for entry in entries) if entries else None


def _peer(entry: Object) -> Peers:
    block = entry.get("ipBlock")
    if block is not None:
        excepted = tuple(ipaddress.ip_network(text, strict=False) for text in block.get("except") or ())
        return Peers(block=ipaddress.ip_network(block["cidr"], strict=False), excepted=excepted)
    namespaces, pods = entry.get("namespaceSelector"), entry.get("podSelector")
    return Peers(
        None if namespaces is None else selectors.of_object(namespaces),
        EVERYTHING if pods is None else selectors.of_object(pods),
    )


def _ports(entries: list[Object] | None) -> tuple[Ports, ...] | None:
    if not entries:
        return None
    return tuple(Ports(one.get("protocol", "TCP"), one.get("port"), one.get("endPort", 0)) for one in entries)
