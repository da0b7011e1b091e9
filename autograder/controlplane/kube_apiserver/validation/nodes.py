"""The rules for Nodes and taints (pkg/apis/core/validation, ValidateNode and ValidateNodeUpdate)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, duplicate, forbidden, internal, invalid
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.addresses import parse_network, validate_network
from autograder.controlplane.kube_apiserver.validation.meta import (
    label_name,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.resource_names import validate_resource_amount
from autograder.controlplane.kube_apiserver.validation.rules import required_one_of

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_FEATURE = re.compile(r"[A-Z][a-zA-Z0-9]*(?:/[a-zA-Z][a-zA-Z0-9]*)*", re.ASCII)
_POD_CIDRS = Path("spec").child("podCIDRs")


def validate_node(node: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new Node."""
    spec, status = node.get("spec", {}), node.get("status", {})
    return [
        *validate_metadata(node["metadata"], namespaced=False),
        *_validate_taints(spec.get("taints", [])),
        *_validate_resources(status),
        *_validate_features(status.get("declaredFeatures", [])),
        *_validate_pod_cidrs(spec.get("podCIDRs", [])),
    ]


def validate_node_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``."""
    return [*validate_node(new), *validate_node_status_update(new, old)]


def validate_node_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with new facts about the machine."""
    spec, old_spec, status = new.get("spec", {}), old.get("spec", {}), new.get("status", {})
    return [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *_validate_resources(status),
        *_validate_features(status.get("declaredFeatures", [])),
        *_validate_unique_addresses(status.get("addresses", [])),
        *_validate_identity_kept(spec, old_spec),
        *_validate_taints(spec.get("taints", [])),
        *_validate_external_id_kept(spec, old_spec),
    ]


def _validate_taints(taints: list[dict[str, Any]]) -> Iterator[FieldError]:
    seen = set()
    for index, taint in enumerate(taints):
        path = Path("metadata").child("taints").index(index)
        key, value, effect = taint.get("key", ""), taint.get("value", ""), taint.get("effect", "")
        yield from label_name(key, path.child("key"))
        if problems := names.label_value(value):
            yield invalid(path.child("value"), value, ";".join(problems))
        yield from required_one_of(effect, path.child("effect"), TAINT_EFFECTS)
        if (key, effect) in seen:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            yield replace(duplicate(path, shown), detail="taints must be unique by key and effect pair")
        seen.add((key, effect))


def _validate_resources(status: dict[str, Any]) -> Iterator[FieldError]:
    for part in ("capacity", "allocatable"):
        for name, amount in sorted(status.get(part, {}).items()):
            yield from validate_resource_amount(name, amount, Path("status").child(part).child(name))


def _validate_features(features: list[str]) -> Iterator[FieldError]:
    path = Path("status").child("declaredFeatures")
    for index, feature in enumerate(features):
        if len(feature) > names.SUBDOMAIN_LENGTH:
            problem = f'invalid feature name "{feature}": must be no more than {names.SUBDOMAIN_LENGTH} characters'
            yield invalid(path.index(index), feature, problem)
        elif not _FEATURE.fullmatch(feature):
            yield invalid(
                path.index(index), feature,
                f'invalid feature name "{feature}": must start with an UpperCamelCase segment, with subsequent'
                " segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric"
                " characters and slashes",
            )  # fmt: skip
        following = features[index + 1] if index + 1 < len(features) else None
        if following == feature:
            yield duplicate(path.index(index + 1), following)
        elif following is not None and following < feature:
            yield invalid(path.index(index + 1), following, "list must be sorted alphabetically")


def _validate_pod_cidrs(blocks: list[str]) -> Iterator[FieldError]:
    for index, block in enumerate(blocks):
        yield from validate_network(block, _POD_CIDRS.index(index))
    if len(blocks) < 2:
        return
    for index, block in enumerate(blocks):
        if not parse_network(block):
            why = f"invalid CIDR[{index}]: <nil> (invalid CIDR address: {block})"
            yield internal(_POD_CIDRS, f"invalid PodCIDRs. failed to check with dual stack with error:{why}")
            break
    families = [parsed.value.version for parsed in map(parse_network, blocks) if parsed]
    if sorted(families) != [4, 6] or len(blocks) > 2:
        yield invalid(_POD_CIDRS, blocks, "may specify no more than one CIDR for each IP family")


def _validate_unique_addresses(addresses: list[dict[str, str]]) -> Iterator[FieldError]:
    for index, address in enumerate(addresses):
        if address in addresses[:index]:
            shown = {"Type": address.get("type", ""), "Address": address.get("address", "")}
            yield duplicate(Path("status").child("addresses").index(index), shown)


def _validate_identity_kept(spec: dict[str, Any], old_spec: dict[str, Any]) -> Iterator[FieldError]:
    old_blocks, blocks = old_spec.get("podCIDRs", []), spec.get("podCIDRs", [])
    fixed = 'node updates may not change podCIDR except from "" to valid'
    if old_blocks and len(blocks) != len(old_blocks):
        yield forbidden(_POD_CIDRS, fixed)
    elif old_blocks:
        changed = sum(block != before for block, before in zip(blocks, old_blocks, strict=True))
        yield from [forbidden(_POD_CIDRS, fixed)] * changed
    if old_spec.get("providerID") and spec.get("providerID") != old_spec["providerID"]:
        fixed = 'node updates may not change providerID except from "" to valid'
        yield forbidden(Path("spec").child("providerID"), fixed)


def _validate_external_id_kept(spec: dict[str, Any], old_spec: dict[str, Any]) -> Iterator[FieldError]:
    if spec.get("externalID", "") != old_spec.get("externalID", ""):
        yield forbidden(Path("spec").child("externalID"), "may not be updated")
