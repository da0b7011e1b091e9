"""The rules for NetworkPolicies (pkg/apis/networking/validation, ValidateNetworkPolicy)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, forbidden, invalid, not_supported, required
from autograder.controlplane.kube_apiserver.validation.addresses import parse_network, validate_network
from autograder.controlplane.kube_apiserver.validation.meta import (
    label_selector,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.rules import one_of, port_number, port_number_or_name

PROTOCOLS = ("TCP", "UDP", "SCTP")
POLICY_TYPES = ("Ingress", "Egress")
#: The field of the rules in each direction, and the field of the peers in such a rule.
DIRECTIONS = (("ingress", "from"), ("egress", "to"))


@dataclass(frozen=True)
class _Tolerances:
    """What an update may keep although a new object may not have it."""

    label_values_checked: bool = True
    blocks: Collection[str] = ()


def validate_network_policy(policy: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new NetworkPolicy."""
    return [
        *validate_metadata(policy["metadata"], namespaced=True),
        *_validate_spec(policy.get("spec", {}), _Tolerances()),
    ]


def validate_network_policy_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; malformed values that were there stay allowed."""
    old_spec = old.get("spec", {})
    well_formed = not any(label_selector(old_spec.get("podSelector"), Path("")))
    tolerances = _Tolerances(label_values_checked=well_formed, blocks=_blocks(old_spec))
    return [*validate_metadata_update(new["metadata"], old["metadata"]), *_validate_spec(new["spec"], tolerances)]


def _blocks(spec: dict[str, Any]) -> set[str]:
    """Every address block in a policy."""
    found: set[str] = set()
    for rules, peers in DIRECTIONS:
        for rule in spec.get(rules, ()):
            for peer in rule.get(peers, ()):
                block = peer.get("ipBlock", {})
                found.update([block.get("cidr", ""), *block.get("except", ())])
    return found


def _validate_spec(spec: dict[str, Any], tolerances: _Tolerances) -> Iterator[FieldError]:
    path = Path("spec")
    yield from label_selector(
        spec.get("podSelector", {}), path.child("podSelector"), check_values=tolerances.label_values_checked
    )
    for rules, peers in DIRECTIONS:
        for index, rule in enumerate(spec.get(rules, ())):
            here = path.child(rules).index(index)
            for number, port in enumerate(rule.get("ports", ())):
                yield from _validate_port(port, here.child("ports").index(number))
            for number, peer in enumerate(rule.get(peers, ())):
                yield from _validate_peer(peer, here.child(peers).index(number), tolerances)
    types = spec.get("policyTypes", [])
    if len(types) > len(POLICY_TYPES):
        yield invalid(path.child("policyTypes"), types, "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(types):
        yield from one_of(kind, path.child("policyTypes").index(index), POLICY_TYPES)


def _validate_port(port: dict[str, Any], path: Path) -> Iterator[FieldError]:
    if "protocol" in port and port["protocol"] not in PROTOCOLS:
        yield not_supported(path.child("protocol"), port["protocol"], PROTOCOLS)
    first, last = port.get("port"), port.get("endPort")
    if first is None:
        if last is not None:
            yield invalid(path.child("endPort"), last, "may not be specified when `port` is not specified")
        return
    if isinstance(first, str) and last is not None:
        yield invalid(path.child("endPort"), last, "may not be specified when `port` is non-numeric")
    yield from port_number_or_name(first, path.child("port"))
    if isinstance(first, int) and last is not None:
        if last < first:
            yield invalid(path.child("endPort"), first, "must be greater than or equal to `port`")
        yield from port_number(last, path.child("endPort"))


def _validate_peer(peer: dict[str, Any], path: Path, tolerances: _Tolerances) -> Iterator[FieldError]:
    for selector in ("podSelector", "namespaceSelector"):
        if selector in peer:
            yield from label_selector(
                peer[selector], path.child(selector), check_values=tolerances.label_values_checked
            )
    if "ipBlock" in peer:
        yield from _validate_block(peer["ipBlock"], path.child("ipBlock"), tolerances)
    if not peer:
        yield required(path, "must specify a peer")
    elif "ipBlock" in peer and len(peer) > 1:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _validate_block(block: dict[str, Any], path: Path, tolerances: _Tolerances) -> Iterator[FieldError]:
    text = block.get("cidr", "")
    if not text:
        yield required(path.child("cidr"))
        return
    yield from validate_network(text, path.child("cidr"), accepted_before=tolerances.blocks)
    whole = parse_network(text)
    if whole is None:
        return
    for index, excepted in enumerate(block.get("except", ())):
        here = path.child("except").index(index)
        yield from validate_network(excepted, here, accepted_before=tolerances.blocks)
        part = parse_network(excepted)
        if part is None:
            continue
        inside = part.value.network_address in whole.value and part.value.prefixlen > whole.value.prefixlen
        if not inside:
            yield invalid(here, excepted, "must be a strict subset of `cidr`")
