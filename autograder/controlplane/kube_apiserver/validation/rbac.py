"""The rules for roles and their bindings (pkg/apis/rbac/validation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, invalid, required
from autograder.controlplane.kube_apiserver.defaulting.rbac import RBAC_GROUP
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed
from autograder.controlplane.kube_apiserver.validation.meta import (
    label_selector,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.rules import one_of, required_name

SUBJECT_KINDS = ("ServiceAccount", "User", "Group")
SELECTORS = Path("aggregationRule").child("clusterRoleSelectors")


def validate_role(role: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new Role."""
    return [*_validate_metadata(role, namespaced=True), *_validate_rules(role, namespaced=True)]


def validate_role_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``."""
    return [*validate_role(new), *validate_metadata_update(new["metadata"], old["metadata"])]


def validate_cluster_role(role: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new ClusterRole."""
    return _validate_cluster_role(role, check_values=True)


def validate_cluster_role_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the changed role; malformed label values that were there stay allowed."""
    malformed_before = any(error for one in _selectors(old) for error in label_selector(one, SELECTORS))
    return [
        *_validate_cluster_role(new, check_values=not malformed_before),
        *validate_metadata_update(new["metadata"], old["metadata"]),
    ]


def validate_role_binding(binding: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new RoleBinding."""
    return [*_validate_metadata(binding, namespaced=True), *_validate_binding(binding, namespaced=True)]


def validate_cluster_role_binding(binding: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new ClusterRoleBinding."""
    return [*_validate_metadata(binding, namespaced=False), *_validate_binding(binding, namespaced=False)]


def validate_role_binding_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; the role stays."""
    return [*validate_role_binding(new), *_validate_binding_change(new, old)]


def validate_cluster_role_binding_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; the role stays."""
    return [*validate_cluster_role_binding(new), *_validate_binding_change(new, old)]


def _validate_metadata(thing: dict[str, Any], *, namespaced: bool) -> Iterator[FieldError]:
    return validate_metadata(thing["metadata"], namespaced=namespaced, name=names.path_segment)


def _validate_rules(role: dict[str, Any], *, namespaced: bool) -> Iterator[FieldError]:
    for index, rule in enumerate(role.get("rules") or ()):
        yield from _validate_rule(rule, Path("rules").index(index), namespaced=namespaced)


def _validate_rule(rule: dict[str, Any], path: Path, *, namespaced: bool) -> Iterator[FieldError]:
    if not rule.get("verbs"):
        yield required(path.child("verbs"), "verbs must contain at least one value")
    if urls := rule.get("nonResourceURLs"):
        here = path.child("nonResourceURLs")
        if namespaced:
            yield invalid(here, urls, "namespaced rules cannot apply to non-resource URLs")
        if any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
            yield invalid(here, urls, "rules cannot apply to both regular resources and non-resource URLs")
        return
    if not rule.get("apiGroups"):
        yield required(path.child("apiGroups"), "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(path.child("resources"), "resource rules must supply at least one resource")


def _selectors(role: dict[str, Any]) -> list[dict[str, Any]]:
    return list(role.get("aggregationRule", {}).get("clusterRoleSelectors", ()))


def _validate_cluster_role(role: dict[str, Any], *, check_values: bool) -> list[FieldError]:
    errors = [*_validate_metadata(role, namespaced=False), *_validate_rules(role, namespaced=False)]
    if "aggregationRule" in role and not _selectors(role):
        one = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        errors.append(required(SELECTORS, one))
    for index, selector in enumerate(_selectors(role)):
        errors += label_selector(selector, SELECTORS.index(index), check_values=check_values)
        if any(label_selector(selector, SELECTORS.index(index))):
            errors.append(invalid(SELECTORS.index(index), None, "invalid label selector."))
    return errors


def _validate_binding(binding: dict[str, Any], *, namespaced: bool) -> Iterator[FieldError]:
    role, path = binding.get("roleRef", {}), Path("roleRef")
    yield from one_of(role.get("apiGroup", ""), path.child("apiGroup"), (RBAC_GROUP,))
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    yield from one_of(role.get("kind", ""), path.child("kind"), kinds)
    yield from required_name(role.get("name", ""), path.child("name"), names.path_segment)
    for index, subject in enumerate(binding.get("subjects") or ()):
        yield from _validate_subject(subject, Path("subjects").index(index), namespaced=namespaced)


def _validate_subject(subject: dict[str, Any], path: Path, *, namespaced: bool) -> Iterator[FieldError]:
    name, kind, group = (subject.get(part, "") for part in ("name", "kind", "apiGroup"))
    if not name:
        yield required(path.child("name"))
    if kind == "ServiceAccount":
        if name:
            yield from malformed(path.child("name"), name, names.dns_subdomain(name))
        yield from one_of(group, path.child("apiGroup"), ("",))
        if not namespaced and not subject.get("namespace"):
            yield required(path.child("namespace"))
    elif kind in ("User", "Group"):
        yield from one_of(group, path.child("apiGroup"), (RBAC_GROUP,))
    else:
        yield from one_of(kind, path.child("kind"), SUBJECT_KINDS)


def _validate_binding_change(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    role = new.get("roleRef", {})
    if role != old.get("roleRef", {}):
        shown = {part[:1].upper() + part[1:]: role.get(part, "") for part in ("kind", "name")}
        yield invalid(Path("roleRef"), {"APIGroup": role.get("apiGroup", ""), **shown}, "cannot change roleRef")
