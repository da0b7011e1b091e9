"""Fields of a Service that go together: what the server fills in from one of them, from the old object or by type.

``complete`` comes before addresses and node ports are allocated, ``drop_foreign_fields`` after. Both change the new
object in place and only read the old one. Source: pkg/registry/core/service (storage and strategy).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, invalid
from autograder.controlplane.kube_apiserver.defaulting.services import externally_accessible
from autograder.controlplane.kube_apiserver.validation.addresses import family_of
from autograder.controlplane.kube_apiserver.validation.service_addresses import validate_cluster_ips
from autograder.controlplane.kube_apiserver.validation.services import needs_health_check

Spec = dict[str, Any]

#: The IP families that the cluster has addresses of, the default one first.
CLUSTER_FAMILIES = ("IPv4",)
OTHER_FAMILY = {"IPv4": "IPv6", "IPv6": "IPv4"}
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")

_POLICY = Path("spec").child("ipFamilyPolicy")
_FAMILIES = Path("spec").child("ipFamilies")
_CLUSTER_IPS = Path("spec").child("clusterIPs")


def complete(
    service: dict[str, Any], old: dict[str, Any] | None, families: Sequence[str] = CLUSTER_FAMILIES
) -> list[FieldError]:
    """Take over what was allocated before and infer addresses and IP families from each other; says what cannot be."""
    spec, old_spec = service["spec"], old["spec"] if old else {}
    if old_spec:
        _keep_allocated(spec, old_spec)
    _agree_on_cluster_ips(spec, old_spec)
    return _complete_families(spec, old_spec, families)


def needs_cluster_ip(spec: Spec) -> bool:
    """Whether the Service has a cluster IP, if only ``None``."""
    return spec.get("type") != "ExternalName"


def gets_node_ports(spec: Spec) -> bool:
    """Whether each port that has no node port is given one."""
    kind = spec.get("type")
    return kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts", True))


# ---------------------------------------------------------------- addresses


def _keep_allocated(spec: Spec, old: Spec) -> None:
    """What the server allocated stays when a client leaves it out, so that the same manifest can be sent again."""
    if needs_cluster_ip(spec) and needs_cluster_ip(old):
        for name in ("clusterIP", "clusterIPs"):
            if not spec.get(name) and old.get(name):
                spec[name] = old[name]
    if gets_node_ports(spec) and gets_node_ports(old):
        _keep_node_ports(spec, old)
    if needs_health_check(spec) and needs_health_check(old) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = old.get("healthCheckNodePort", 0)


def _keep_node_ports(spec: Spec, old: Spec) -> None:
    """A port without a node port gets that of the old port of its name, unless another port has taken it."""
    taken = {port.get("nodePort") for port in spec.get("ports", ())}
    known = {port.get("name", ""): port.get("nodePort", 0) for port in old.get("ports", ())}
    for port in spec.get("ports", ()):
        before = known.get(port.get("name", ""), 0)
        if not port.get("nodePort") and before and before not in taken:
            port["nodePort"] = before


def _agree_on_cluster_ips(spec: Spec, old: Spec) -> None:
    """Clients that know only ``clusterIP`` mean ``clusterIPs`` too."""
    address, addresses = spec.get("clusterIP", ""), spec.get("clusterIPs", [])
    old_address, old_addresses = old.get("clusterIP", ""), old.get("clusterIPs", [])
    if not old:
        if address and not addresses:
            spec["clusterIPs"] = [address]
        return
    if old_addresses and not addresses and address == old_address:
        spec["clusterIPs"] = old_addresses
    if address == old_address or addresses != old_addresses:
        return
    if address:
        spec["clusterIPs"] = [address]
    else:
        spec.pop("clusterIPs", None)


# ---------------------------------------------------------------- IP families


def _complete_families(spec: Spec, old: Spec, families: Sequence[str]) -> list[FieldError]:
    if not needs_cluster_ip(spec) or _keeps_preferred_dual_stack(spec, old):
        return []
    selectorless = spec.get("clusterIP") == "None" and not spec.get("selector")
    if "ipFamilyPolicy" not in spec:
        inferred = "RequireDualStack" if selectorless else "SingleStack"
        spec["ipFamilyPolicy"] = old.get("ipFamilyPolicy") or inferred
    errors = list(validate_cluster_ips(spec, old))
    if errors:
        return errors
    errors = [*_reduce_to_policy(spec, old), *_check_policy(spec), *_infer_families(spec, families)]
    if errors:
        return errors
    if not selectorless:
        errors = _check_configured(spec, families)
        if errors:
            return errors
    chosen = list(spec.get("ipFamilies") or families[:1])
    dual = spec["ipFamilyPolicy"] != "SingleStack" and (selectorless or len(families) == 2)
    if dual and len(chosen) == 1:
        chosen.append(OTHER_FAMILY[chosen[0]])
    spec["ipFamilies"] = chosen
    return []


def _keeps_preferred_dual_stack(spec: Spec, old: Spec) -> bool:
    """Whether nothing was asked for that would make a Service get or lose its second address."""
    same = all(spec.get(name) == old.get(name) for name in ("type", "clusterIPs", "ipFamilies"))
    preferred = spec.get("ipFamilyPolicy") == "PreferDualStack" == old.get("ipFamilyPolicy", "PreferDualStack")
    return bool(old) and same and preferred


def _reduce_to_policy(spec: Spec, old: Spec) -> list[FieldError]:
    """One family is left of an old Service's two if the policy says so, and only then."""
    errors = []
    for name, thing in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        values, before = spec.get(name, []), old.get(name, [])
        if spec["ipFamilyPolicy"] == "SingleStack":
            if old and values == before:
                spec[name] = values[:1]
        elif 0 < len(values) < len(before):
            release = f"must be 'SingleStack' to release the secondary {thing}"
            errors.append(invalid(_POLICY, spec["ipFamilyPolicy"], release))
    return errors


def _check_policy(spec: Spec) -> list[FieldError]:
    if spec["ipFamilyPolicy"] != "SingleStack":
        return []
    dual = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"
    parts = (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families"))
    several = [words for name, words in parts if len(spec.get(name, ())) == 2]
    return [invalid(_POLICY, "SingleStack", dual.format(words)) for words in several]


def _infer_families(spec: Spec, families: Sequence[str]) -> list[FieldError]:
    """Families that were not given are those of the addresses."""
    errors, chosen, addresses = [], list(spec.get("ipFamilies", ())), spec.get("clusterIPs", [])
    for index, address in enumerate(addresses):
        if address == "None":
            break
        family = family_of(address)
        if index >= len(chosen) and family not in families:
            errors.append(invalid(_CLUSTER_IPS.index(index), addresses, f"{family} is not configured on this cluster"))
        elif index >= len(chosen):
            chosen.append(family)
    if chosen:
        spec["ipFamilies"] = chosen
    return errors


def _check_configured(spec: Spec, families: Sequence[str]) -> list[FieldError]:
    errors = []
    if spec["ipFamilyPolicy"] == "RequireDualStack" and len(families) < 2:
        single = "this cluster is not configured for dual-stack services"
        errors.append(invalid(_POLICY, "RequireDualStack", single))
    for index, family in enumerate(spec.get("ipFamilies", ())):
        if family not in families:
            errors.append(invalid(_FAMILIES.index(index), family, "not configured on this cluster"))
    return errors


# ---------------------------------------------------------------- changes of type


def drop_foreign_fields(service: dict[str, Any], old: dict[str, Any]) -> None:
    """Drop what the new type of a Service has no use for, if the client only left it as it was."""
    spec, before = service["spec"], old["spec"]
    if needs_cluster_ip(before) and not needs_cluster_ip(spec):
        if all(spec.get(name) == before.get(name) for name in ("clusterIP", "clusterIPs")):
            _drop(spec, "clusterIP", "clusterIPs")
        _drop_if_same(spec, before, "ipFamilies", "ipFamilyPolicy")
    if before.get("type") in WITH_NODE_PORTS and spec.get("type") not in WITH_NODE_PORTS:
        old_ports, ports = (
            {port["nodePort"] for port in one.get("ports", ()) if port.get("nodePort")} for one in (before, spec)
        )
        if ports <= old_ports:
            for port in spec.get("ports", ()):
                _drop(port, "nodePort")
    if needs_health_check(before) and not needs_health_check(spec):
        _drop_if_same(spec, before, "healthCheckNodePort")
    if before.get("type") == "LoadBalancer" != spec.get("type"):
        _drop_if_same(spec, before, "allocateLoadBalancerNodePorts", "loadBalancerClass")
    if externally_accessible(before) and not externally_accessible(spec):
        _drop_if_same(spec, before, "externalTrafficPolicy")
    if spec.get("type") != "LoadBalancer":
        service["status"] = {**service.get("status", {}), "loadBalancer": {}}


def _drop_if_same(spec: Spec, before: Spec, *fields: str) -> None:
    _drop(spec, *(name for name in fields if spec.get(name) == before.get(name)))


def _drop(fields: dict[str, Any], *names: str) -> None:
    for name in names:
        fields.pop(name, None)
