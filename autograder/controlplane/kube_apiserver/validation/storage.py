"""The rules for PersistentVolumeClaims and for templates of claims (pkg/apis/core/validation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.classes import STORAGE_CLASS
from autograder.controlplane.apimachinery.field import FieldError, Path, forbidden, invalid, required
from autograder.controlplane.apimachinery.quantity import Quantity
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.differences import difference
from autograder.controlplane.kube_apiserver.validation.meta import (
    immutable,
    label_selector,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed
from autograder.controlplane.kube_apiserver.validation.resource_names import validate_resource_amount
from autograder.controlplane.kube_apiserver.validation.rules import one_of, positive_quantity

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")

_SPEC = Path("spec")


def validate_persistent_volume_claim(claim: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new PersistentVolumeClaim."""
    return [*validate_metadata(claim["metadata"], namespaced=True), *validate_claim_spec(claim["spec"], _SPEC)]


def validate_persistent_volume_claim_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; a bound claim may grow, little else may change."""
    spec, old_spec = new["spec"], old["spec"]
    sources = [old_spec.get(name, {}) for name in ("dataSource", "dataSourceRef")]
    well_formed = not any(label_selector(old_spec.get("selector"), Path("")))
    return [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *validate_metadata(new["metadata"], namespaced=True),
        *validate_claim_spec(
            spec, _SPEC, check_values=well_formed, check_groups=not any("apiGroup" in source for source in sources)
        ),
        *_validate_claim_change(new, old),
    ]


def validate_persistent_volume_claim_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with new facts about the volume of a claim."""
    errors = [*validate_metadata_update(new["metadata"], old["metadata"])]
    for name, amount in sorted(new.get("status", {}).get("capacity", {}).items()):
        if quantity.parse(amount).value < 0:
            path = Path("status").child("capacity").key(name)
            errors.append(invalid(path, quantity.parse(amount).value, "must be a valid resource quantity"))
    return errors


def validate_claim_spec(
    spec: dict[str, Any], path: Path, *, check_values: bool = True, check_groups: bool = True
) -> Iterator[FieldError]:
    """What a claim asks for; also the rule for the templates of claims in other kinds."""
    modes = spec.get("accessModes", [])
    if not modes:
        yield required(path.child("accessModes"), "at least 1 access mode is required")
    yield from label_selector(spec.get("selector"), path.child("selector"), check_values=check_values)
    yield from validate_access_modes(modes, path.child("accessModes"))
    yield from _validate_storage(spec.get("resources", {}).get("requests", {}), path.child("resources").key("storage"))
    yield from validate_class_name(spec.get("storageClassName", ""), path.child("storageClassName"))
    if "volumeMode" in spec:
        yield from one_of(spec["volumeMode"], path.child("volumeMode"), VOLUME_MODES)
    yield from _validate_data_sources(spec, path, check_groups=check_groups)
    yield from validate_class_name(spec.get("volumeAttributesClassName", ""), path.child("volumeAttributesClassName"))


def validate_access_modes(modes: list[str], path: Path) -> Iterator[FieldError]:
    """How nodes may use a volume; by one pod alone excludes the others."""
    for mode in modes:
        yield from one_of(mode, path, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and (set(modes) & set(ACCESS_MODES)) != {"ReadWriteOncePod"}:
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _validate_storage(requests: dict[str, str], path: Path) -> Iterator[FieldError]:
    if "storage" not in requests:
        yield required(path)
        return
    errors = list(positive_quantity(requests["storage"], path))
    yield from errors or validate_resource_amount("storage", requests["storage"], path)


def validate_class_name(name: str, path: Path) -> Iterator[FieldError]:
    """The name of a storage class, which may be left out."""
    return malformed(path, name, names.dns_subdomain(name) if name else [])


def _validate_data_sources(spec: dict[str, Any], path: Path, *, check_groups: bool) -> Iterator[FieldError]:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    for name, given in (("dataSource", source), ("dataSourceRef", reference)):
        if given is not None:
            yield from _validate_data_source(given, path.child(name), check_groups=check_groups)
    if source is None or reference is None:
        return
    if reference.get("namespace"):
        yield invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified")
    elif any(source.get(name) != reference.get(name) for name in ("apiGroup", "kind", "name")):
        yield invalid(path, {}, "must match dataSourceRef")


def _validate_data_source(source: dict[str, Any], path: Path, *, check_groups: bool) -> Iterator[FieldError]:
    for name in ("name", "kind"):
        if not source.get(name):
            yield required(path.child(name))
    group, kind = source.get("apiGroup", ""), source.get("kind", "")
    if not group and kind != "PersistentVolumeClaim":
        yield invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
    if group and check_groups:
        yield from malformed(path.child("apiGroup"), group, names.dns_subdomain(group))
    if source.get("namespace"):
        yield from malformed(path.child("namespace"), source["namespace"], names.dns_label(source["namespace"]))


def _validate_claim_change(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    spec, old_spec = new["spec"], old["spec"]
    yield from _validate_class_annotation(new, old)
    allowed = _with_allowed_changes(new, old)
    if _comparable(allowed) != _comparable(spec):
        only = "except resources.requests and volumeAttributesClassName for bound claims"
        yield forbidden(_SPEC, f"spec is immutable after creation {only}\n{difference(allowed, spec)}")
    size, old_size = _requested(spec), _requested(old_spec)
    if size < old_size and size <= quantity.parse(old.get("status", {}).get("capacity", {}).get("storage", "0")):
        path = _SPEC.child("resources").child("requests").child("storage")
        yield forbidden(path, "field can not be less than status.capacity")
    yield from immutable(spec.get("volumeMode"), old_spec.get("volumeMode"), Path("volumeMode"))
    if old.get("status", {}).get("currentVolumeAttributesClassName") is not None:
        path, name = _SPEC.child("volumeAttributesClassName"), spec.get("volumeAttributesClassName")
        if not name and name != old_spec.get("volumeAttributesClassName"):
            empty = "nil" if name is None else "empty string"
            applied = "status.currentVolumeAttributesClassName is not nil"
            yield forbidden(path, f"update to {empty} is forbidden when {applied}")


def _requested(spec: dict[str, Any]) -> Quantity:
    return quantity.parse(spec.get("resources", {}).get("requests", {}).get("storage", "0"))


def _validate_class_annotation(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    given, before = (one["metadata"].get("annotations", {}).get(STORAGE_CLASS, "") for one in (new, old))
    path = Path("metadata").child("annotations").child(STORAGE_CLASS)
    if not _moves_class_out_of_annotation(new, old):
        yield from immutable(given, before, path)


def _moves_class_out_of_annotation(new: dict[str, Any], old: dict[str, Any]) -> bool:
    """Whether a claim that named its class in an annotation now names the same one in the spec."""
    given, before = (one["metadata"].get("annotations", {}).get(STORAGE_CLASS) for one in (new, old))
    name = new["spec"].get("storageClassName")
    return before is not None and "storageClassName" not in old["spec"] and name == before and given in (None, before)


def _with_allowed_changes(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """The old spec with those changes of the new one that are allowed."""
    spec, allowed = new["spec"], dict(old["spec"])
    if not allowed.get("volumeName") and "volumeName" in spec:
        allowed["volumeName"] = spec["volumeName"]
    annotated, name = old["metadata"].get("annotations", {}).get(STORAGE_CLASS), spec.get("storageClassName")
    if name is not None and "storageClassName" not in allowed and annotated in (None, name):
        allowed["storageClassName"] = name
    if new.get("status", {}).get("phase") == "Bound":
        requests = spec.get("resources", {}).get("requests", {})
        if "storage" in requests:
            resources = allowed.get("resources", {})
            kept = {**resources.get("requests", {}), "storage": requests["storage"]}
            allowed["resources"] = {**resources, "requests": kept}
        allowed["volumeAttributesClassName"] = spec.get("volumeAttributesClassName")
    return allowed


def _comparable(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec without what is empty, and with amounts by value."""
    resources = {
        part: {name: quantity.parse(amount) for name, amount in amounts.items()}
        for part, amounts in spec.get("resources", {}).items()
    }
    return {name: value for name, value in {**spec, "resources": resources}.items() if value not in (None, [], {})}
