"""What may change in a pod: through the pod itself, its ephemeral containers, its resources.

Source: ValidatePodUpdate, ValidatePodEphemeralContainersUpdate and ValidatePodResize in
pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.qos import qos_class
from autograder.controlplane.kube_apiserver.apparmor import ANNOTATION as APPARMOR_CONTAINER
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.differences import difference
from autograder.controlplane.kube_apiserver.validation.meta import validate_metadata_update
from autograder.controlplane.kube_apiserver.validation.placement import REQUIRED, validate_tolerations
from autograder.controlplane.kube_apiserver.validation.pods import (
    MIRROR,
    validate_pod_annotations,
    validate_pod_metadata_and_spec,
)

Object = Mapping[str, Any]

_SPEC: Final = Path("spec")
_ANNOTATIONS: Final = Path("metadata").child("annotations")
MAX_DEADLINE: Final = 2**31 - 1
ONLY_THESE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
RESIZABLE: Final = ("cpu", "memory")
ONLY_RESOURCES: Final = "only cpu and memory resources are mutable"


# ---------------------------------------------------------------- the pod itself


def validate_pod_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed pod: images, deadline, more tolerations, fewer scheduling gates, and little else."""
    yield from _common(new, old)
    spec, before = new["spec"], old["spec"]
    for name in ("containers", "initContainers"):
        given, had = spec.get(name) or [], before.get(name) or []
        if len(given) != len(had):
            yield field.forbidden(_SPEC.child(name), "pod updates may not add or remove containers")
            return
        yield from _images(given, _SPEC.child(name))
    deadline = list(_deadline(spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")))
    yield from deadline
    if deadline and "activeDeadlineSeconds" in spec:
        return
    yield from _only_more_tolerations(spec.get("tolerations", []), before.get("tolerations", []))
    yield from _only_fewer_gates(spec.get("schedulingGates", []), before.get("schedulingGates", []))
    if spec == before:
        return
    fixed = _with_allowed_changes_undone(spec, before)
    if before.get("schedulingGates"):
        yield from _narrower_placement(fixed, before)
        fixed = _with_placement_undone(fixed, before)
    if fixed != before:
        yield field.forbidden(_SPEC, f"{ONLY_THESE}\n{difference(before, fixed)}")


def _common(new: Object, old: Object) -> Iterator[FieldError]:
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from validate_pod_metadata_and_spec(new)
    yield from validate_annotations_update(new, old)


def validate_annotations_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Changed annotations: those of AppArmor and of mirror pods stay as they are."""
    given, had = new["metadata"].get("annotations", {}), old["metadata"].get("annotations", {})
    for key, value in had.items():
        if given.get(key) != value:
            yield from _fixed_annotation(key, "remove or update")
    for key in given.keys() - had.keys():
        yield from _fixed_annotation(key, "add")
    yield from validate_pod_annotations(new["metadata"], new["spec"], _ANNOTATIONS)


def _fixed_annotation(key: str, verb: str) -> Iterator[FieldError]:
    if key.startswith(APPARMOR_CONTAINER):
        yield field.forbidden(_ANNOTATIONS.key(key), f"may not {verb} AppArmor annotations")
    if key == MIRROR:
        yield field.forbidden(_ANNOTATIONS.key(key), f"may not {verb} mirror pod annotation")


def _images(containers: list[Object], path: Path) -> Iterator[FieldError]:
    for position, container in enumerate(containers):
        image, at = container.get("image", ""), path.index(position).child("image")
        if not image:
            yield field.required(at)
        if image != image.strip():
            yield field.invalid(at, image, "must not have leading or trailing whitespace")


def _deadline(given: int | None, had: int | None) -> Iterator[FieldError]:
    at = _SPEC.child("activeDeadlineSeconds")
    if given is None:
        if had is not None:
            yield field.invalid(at, None, "must not update from a positive integer to nil value")
    elif not 0 <= given <= MAX_DEADLINE:
        yield field.invalid(at, given, names.between(0, MAX_DEADLINE))
    elif had is not None and had < given:
        yield field.invalid(at, given, "must be less than or equal to previous value")


def _only_more_tolerations(given: list[Object], had: list[Object]) -> Iterator[FieldError]:
    at = _SPEC.child("tolerations")
    kept = [_but(toleration, "tolerationSeconds") for toleration in given]
    if any(_but(toleration, "tolerationSeconds") not in kept for toleration in had):
        yield field.forbidden(at, "existing toleration can not be modified except its tolerationSeconds")
    else:
        yield from validate_tolerations(given, at)


def _only_fewer_gates(given: list[Object], had: list[Object]) -> Iterator[FieldError]:
    before = {gate["name"] for gate in had}
    for position, gate in enumerate(given):
        if gate["name"] not in before:
            why = f"only deletion is allowed, but found new scheduling gate '{gate['name']}'"
            yield field.forbidden(_SPEC.child("schedulingGates").index(position).child("name"), why)


def _but(obj: Object, *without: str) -> dict[str, Any]:
    return {name: value for name, value in obj.items() if name not in without}


def _as_before(obj: Object, before: Object, *fields: str) -> dict[str, Any]:
    """The object with some fields as they were, or not there as they were not."""
    return {**_but(obj, *fields), **{name: before[name] for name in fields if name in before}}


def _with_allowed_changes_undone(spec: Object, before: Object) -> dict[str, Any]:
    fixed = _as_before(spec, before, "activeDeadlineSeconds", "schedulingGates", "tolerations")
    for name in ("containers", "initContainers"):
        if fixed.get(name):
            pairs = zip(fixed[name], before[name], strict=True)
            fixed[name] = [_as_before(container, was, "image") for container, was in pairs]
    if before["terminationGracePeriodSeconds"] < 0 and fixed["terminationGracePeriodSeconds"] == 1:
        fixed["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    return fixed


def _narrower_placement(spec: Object, before: Object) -> Iterator[FieldError]:
    """While a pod is gated, the nodes that it may run on may become fewer."""
    given, had = spec.get("nodeSelector", {}), before.get("nodeSelector", {})
    if not had.items() <= given.items():
        why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        yield field.invalid(_SPEC.child("nodeSelector"), given, why)
    terms, had_terms = (_required_terms(one) for one in (spec, before))
    at = _SPEC.child("affinity").child("nodeAffinity").child(REQUIRED).child("nodeSelectorTerms")
    if not had_terms:
        return
    if len(terms) != len(had_terms):
        why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        yield field.invalid(at, terms, why)
        return
    for position, (term, was) in enumerate(zip(terms, had_terms, strict=True)):
        if not _only_adds(term, was):
            yield field.invalid(at.index(position), term, "only additions are allowed (no mutations or deletions)")


def _required_terms(spec: Object) -> list[Object]:
    terms: list[Object] = (
        spec.get("affinity", {}).get("nodeAffinity", {}).get(REQUIRED, {}).get("nodeSelectorTerms", [])
    )
    return terms


def _only_adds(term: Object, was: Object) -> bool:
    lists = ("matchExpressions", "matchFields")
    if not any(was.get(name) for name in lists):
        return not any(term.get(name) for name in lists)
    return all(term.get(name, [])[: len(was.get(name, []))] == was.get(name, []) for name in lists)


def _with_placement_undone(spec: Object, before: Object) -> dict[str, Any]:
    affinity = _as_before(spec.get("affinity", {}), before.get("affinity", {}), "nodeAffinity")
    fixed = _as_before(spec, before, "nodeSelector")
    if affinity or "affinity" in before:
        fixed["affinity"] = affinity
    else:
        fixed.pop("affinity", None)
    return fixed


# ---------------------------------------------------------------- ephemeral containers, resources


def validate_ephemeral_containers_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Containers added to a running pod; what is there stays as it is."""
    if MIRROR in old["metadata"].get("annotations", {}):
        yield field.forbidden(Path(""), "static pods do not support ephemeral containers")
        return
    yield from _common(new, old)
    at = _SPEC.child("ephemeralContainers")
    given = {container["name"]: container for container in new["spec"].get("ephemeralContainers", ())}
    for was in old["spec"].get("ephemeralContainers", ()):
        name = field.quoted(was["name"])
        if was["name"] not in given:
            yield field.forbidden(at, f"existing ephemeral containers {name} may not be removed\n")
        elif given[was["name"]] != was:
            changes = difference(was, given[was["name"]])
            yield field.forbidden(at, f"existing ephemeral containers {name} may not be changed\n{changes}")


def validate_pod_resize(new: Object, old: Object) -> Iterator[FieldError]:
    """Resources of a running pod; nothing else may differ."""
    if MIRROR in old["metadata"].get("annotations", {}):
        yield field.forbidden(Path(""), "static pods cannot be resized")
        return
    if old["spec"].get("os", {}).get("name") == "windows":
        yield field.forbidden(Path(""), "windows pods cannot be resized")
        return
    errors = [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *validate_pod_metadata_and_spec(new),
        *_resized(new, old),
    ]
    yield from errors
    if not errors and _with_resources_undone(new["spec"], old["spec"]) != old["spec"]:
        yield field.forbidden(_SPEC, ONLY_RESOURCES)


def _resized(new: Object, old: Object) -> Iterator[FieldError]:
    spec, before = new["spec"], old["spec"]
    if qos_class(before) != qos_class(spec):
        given = new["status"].get("qosClass", "")
        yield field.invalid(_SPEC, given, "Pod QOS Class may not change as a result of resizing")
    yield from _whole_pod_resized(spec, before)
    moved = list(_same_containers(spec, before))
    yield from moved
    if moved:
        return
    for kind in ("initContainers", "containers"):
        for position, (container, was) in enumerate(zip(spec.get(kind) or [], before.get(kind) or [], strict=True)):
            at = _SPEC.child(kind).index(position).child("resources")
            yield from _nothing_removed(container["resources"], was["resources"], at, "resource")
    for kind in ("containers", "initContainers"):
        pairs = zip(spec.get(kind) or [], before.get(kind) or [], strict=True)
        for position, (container, was) in enumerate(pairs):
            if _with_own_resources_undone(container, was) == was:
                continue
            if kind == "containers":
                yield field.forbidden(_SPEC, ONLY_RESOURCES)
            else:
                why = "only cpu and memory resources for init or sidecar containers are mutable"
                yield field.forbidden(_SPEC.child(kind).index(position), why)


def _same_containers(spec: Object, before: Object) -> Iterator[FieldError]:
    for kind in ("containers", "initContainers"):
        given, had = ([one["name"] for one in which.get(kind) or ()] for which in (spec, before))
        if len(given) != len(had):
            yield field.forbidden(_SPEC.child(kind), f"{kind} may not be added or removed on resize")
            continue
        for position, (name, was) in enumerate(zip(given, had, strict=True)):
            if name != was:
                at = _SPEC.child(kind).index(position).child("name")
                yield field.forbidden(at, f"{kind} may not be renamed or reordered on resize")


def _whole_pod_resized(spec: Object, before: Object) -> Iterator[FieldError]:
    given, had = spec.get("resources"), before.get("resources")
    if had is not None and given is None:
        yield field.forbidden(_SPEC.child("resources"), "pod-level resources cannot be removed")
        return
    if had is not None and given is not None:
        yield from _nothing_removed(given, had, _SPEC.child("resources"), "pod-level resource")
    if _resources_undone(given or {}, had or {}) != (had or {}):
        yield field.forbidden(_SPEC, "only cpu and memory resources are mutable at pod-level")


def _nothing_removed(given: Object, had: Object, path: Path, called: str) -> Iterator[FieldError]:
    for name in ("requests", "limits"):
        if not had.get(name, {}).keys() <= given.get(name, {}).keys():
            yield field.forbidden(path.child(name), f"{called} {name} cannot be removed")


def _resources_undone(given: Object, had: Object) -> dict[str, Any]:
    """The resources with what may be resized as it was."""
    resources = _but(given, "requests", "limits")
    for name in ("requests", "limits"):
        if merged := _as_before(given.get(name, {}), had.get(name, {}), *RESIZABLE):
            resources[name] = merged
    return resources


def _with_own_resources_undone(container: Object, was: Object) -> dict[str, Any]:
    return {**container, "resources": _resources_undone(container["resources"], was["resources"])}


def _with_resources_undone(spec: Object, before: Object) -> dict[str, Any]:
    fixed = _as_before(spec, before, "resources")
    for kind in ("containers", "initContainers"):
        if fixed.get(kind):
            pairs = zip(fixed[kind], before[kind], strict=True)
            fixed[kind] = [_with_own_resources_undone(container, was) for container, was in pairs]
    return fixed
