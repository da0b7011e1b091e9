"""The rules for ``clusterIP``, ``clusterIPs``, ``ipFamilies`` and ``ipFamilyPolicy`` of a Service.

The API server asks ``validate_cluster_ips`` twice: before it allocates addresses, and with all other rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, duplicate, invalid, not_supported, required
from autograder.controlplane.kube_apiserver.validation.addresses import family_of, validate_address

IP_FAMILIES = ("IPv4", "IPv6")
IP_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")

_CLUSTER_IPS = Path("spec").child("clusterIPs")
_FAMILIES = Path("spec").child("ipFamilies")
_POLICY = Path("spec").child("ipFamilyPolicy")


def is_headless(spec: dict[str, Any]) -> bool:
    """Whether the Service asked to have no cluster IP."""
    return spec.get("clusterIPs") == ["None"]


def validate_cluster_ips(spec: dict[str, Any], old_spec: dict[str, Any]) -> Iterator[FieldError]:
    """Addresses and families must agree with each other; ``old_spec`` is empty for a new Service."""
    if spec.get("type") == "ExternalName":
        return
    addresses, families = spec.get("clusterIPs", []), spec.get("ipFamilies", [])
    yield from _validate_singular(spec.get("clusterIP", ""), addresses)
    for index, family in enumerate(families):
        if family not in IP_FAMILIES:
            yield not_supported(_FAMILIES.index(index), family, IP_FAMILIES)
        if family in families[:index]:
            yield duplicate(_FAMILIES.index(index), family)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in IP_FAMILY_POLICIES:
        yield not_supported(_POLICY, policy, IP_FAMILY_POLICIES)
    malformed = list(_validate_each(addresses, old_spec.get("clusterIPs", ())))
    yield from malformed
    if len(addresses) > 2:
        yield invalid(_CLUSTER_IPS, addresses, "may only hold up to 2 values")
    if malformed:
        return
    if len(addresses) > 1 and {family_of(address) for address in addresses} != set(IP_FAMILIES):
        yield invalid(_CLUSTER_IPS, addresses, "may specify no more than one IP for each IP family")
    for index, (address, family) in enumerate(zip(addresses, families, strict=False)):
        if address != "None" and family in IP_FAMILIES and family_of(address) != family:
            article = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            yield invalid(_CLUSTER_IPS.index(index), address, article)


def _validate_singular(address: str, addresses: list[str]) -> Iterator[FieldError]:
    if not address:
        if addresses:
            yield invalid(_CLUSTER_IPS, addresses, "must be empty when `clusterIP` is not specified")
    elif not addresses:
        yield required(_CLUSTER_IPS)
    elif addresses[0] != address:
        yield invalid(_CLUSTER_IPS, addresses, "first value must match `clusterIP`")


def _validate_each(addresses: list[str], before: list[str]) -> Iterator[FieldError]:
    for index, address in enumerate(addresses):
        if index == 0 and address == "None":
            if len(addresses) > 1:
                yield invalid(_CLUSTER_IPS, addresses, "'None' must be the first and only value")
        else:
            yield from validate_address(address, _CLUSTER_IPS.index(index), accepted_before=before)


def validate_cluster_ips_update(spec: dict[str, Any], old_spec: dict[str, Any]) -> Iterator[FieldError]:
    """The first cluster IP stays; the second may come, and go if the Service becomes single-stack."""
    if _is_external(spec, old_spec) or (is_headless(spec) and is_headless(old_spec)):
        return
    new, old = spec.get("clusterIPs", []), old_spec.get("clusterIPs", [])
    if len(new) == len(old):
        for index, (address, before) in enumerate(zip(new, old, strict=True)):
            if address != before:
                yield invalid(_CLUSTER_IPS.index(index), new, "may not change once set")
        return
    if not new:
        yield invalid(_CLUSTER_IPS.index(0), None, "primary clusterIP can not be unset")
    elif old and new[0] != old[0]:
        yield invalid(_CLUSTER_IPS.index(0), new, "may not change once set")
    if len(new) == 1 < len(old) and spec.get("ipFamilyPolicy") != "SingleStack":
        only = "must be set to 'SingleStack' when releasing the secondary clusterIP"
        yield invalid(_POLICY, spec.get("ipFamilyPolicy"), only)


def validate_ip_families_update(spec: dict[str, Any], old_spec: dict[str, Any]) -> Iterator[FieldError]:
    """The first IP family stays, unless the Service is or becomes headless or an external name."""
    if _is_external(spec, old_spec) or is_headless(spec) or is_headless(old_spec):
        return
    new, old = spec.get("ipFamilies", []), old_spec.get("ipFamilies", [])
    addresses = spec.get("clusterIPs")
    if len(new) == len(old):
        changed = sum(family != before for family, before in zip(new, old, strict=True))
        yield from [invalid(_FAMILIES.index(0), new, "may not change once set")] * changed
        return
    if len(new) < len(old) and not addresses:
        yield invalid(_FAMILIES.index(0), new or None, "primary ipFamily can not be unset")
    if new and old and new[0] != old[0]:
        yield invalid(_FAMILIES.index(0), addresses, "may not change once set")
    if len(new) == 1 < len(old) and spec.get("ipFamilyPolicy") != "SingleStack":
        only = "must be set to 'SingleStack' when releasing the secondary ipFamily"
        yield invalid(_POLICY, spec.get("ipFamilyPolicy"), only)


def _is_external(spec: dict[str, Any], old_spec: dict[str, Any]) -> bool:
    return "ExternalName" in (spec.get("type"), old_spec.get("type"))
