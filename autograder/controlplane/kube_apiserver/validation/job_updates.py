"""What may change in a Job.

Source: ValidateJobUpdate in pkg/apis/batch/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.types.unversioned import unversioned
from autograder.controlplane.kube_apiserver.validation.batch import LABELS, validate_complete_job_spec, validate_job
from autograder.controlplane.kube_apiserver.validation.meta import IMMUTABLE, immutable, validate_metadata_update

Object = Mapping[str, Any]

_SPEC: Final = Path("spec")


def validate_job_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed Job: how many pods run at once may change, what they are may not, once it has started."""
    had = old["spec"]["template"]["metadata"].get("labels", {})
    yield from validate_job(new, prefixed_labels=had.keys() >= set(LABELS))
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    spec, before = new["spec"], old["spec"]
    yield from validate_complete_job_spec(spec)
    yield from _completions(spec, before)
    yield from immutable(spec.get("selector"), before.get("selector"), _SPEC.child("selector"))
    yield from _template_update(spec, before, has_started="startTime" in old.get("status", {}))
    yield from immutable(spec.get("completionMode"), before.get("completionMode"), _SPEC.child("completionMode"))
    yield from _fixed("podFailurePolicy", "batch.PodFailurePolicy", spec, before)
    for name in ("backoffLimitPerIndex", "managedBy"):
        yield from immutable(spec.get(name), before.get(name), _SPEC.child(name))
    yield from _fixed("successPolicy", "batch.SuccessPolicy", spec, before)


def _fixed(name: str, type_name: str, spec: Object, before: Object) -> Iterator[FieldError]:
    given, had = spec.get(name), before.get(name)
    if given != had:
        yield field.invalid(_SPEC.child(name), unversioned(given, f"*{type_name}"), IMMUTABLE)


def _completions(spec: Object, before: Object) -> Iterator[FieldError]:
    given, had, at = spec.get("completions"), before.get("completions"), _SPEC.child("completions")
    if spec.get("completionMode") != "Indexed":
        yield from immutable(given, had, at)
    elif given is not None and given != had and given != spec.get("parallelism"):
        yield field.invalid(at, given, "can only be modified in tandem with spec.parallelism")


def _template_update(spec: Object, before: Object, *, has_started: bool) -> Iterator[FieldError]:
    """The template stays; but while a Job waits (``suspend``), where its pods may run and what they need may change."""
    given, had = spec["template"], before["template"]
    suspended = bool(before.get("suspend"))
    if suspended and not has_started:
        had = _with_placement_of(had, given)
    if suspended and not has_started:
        fixed = _with_resources_of(had["spec"], given["spec"])
        if given["spec"] != fixed:
            yield field.invalid(_SPEC.child("template.spec"), unversioned(given["spec"], "core.PodSpec"), IMMUTABLE)
    elif given != had:
        yield field.invalid(_SPEC.child("template"), unversioned(given, "core.PodTemplateSpec"), IMMUTABLE)


def _with_placement_of(template: Object, other: Object) -> Object:
    """The template with the scheduling directives, labels and annotations of another one."""
    spec, wanted = dict(template["spec"]), other["spec"]
    for name in ("nodeSelector", "tolerations", "schedulingGates"):
        _take(spec, wanted, name)
    affinity = dict(spec.pop("affinity", {}))
    _take(affinity, wanted.get("affinity", {}), "nodeAffinity")
    if affinity or "affinity" in wanted:
        spec["affinity"] = affinity
    metadata = dict(template["metadata"])
    for name in ("labels", "annotations"):
        _take(metadata, other["metadata"], name)
    return {**template, "metadata": metadata, "spec": spec}


def _with_resources_of(spec: Object, other: Object) -> Object:
    """The spec with the resources that another one gives containers of the same names."""
    changed = dict(spec)
    for kind in ("containers", "initContainers"):
        own, given = spec.get(kind) or [], other.get(kind) or []
        if own and len(own) == len(given):
            changed[kind] = [
                {**one, "resources": wanted["resources"]} if one["name"] == wanted["name"] else one
                for one, wanted in zip(own, given, strict=True)
            ]
    return changed


def _take(target: dict[str, Any], source: Object, name: str) -> None:
    target.pop(name, None)
    if name in source:
        target[name] = source[name]
