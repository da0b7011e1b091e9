"""Rules for StatefulSets.

Source: pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.apps import available_are_ready, printed_strategy
from autograder.controlplane.kube_apiserver.validation.meta import (
    annotation_map,
    invalid,
    labels,
    not_negative,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.pods import validate_pod_annotations, validate_pod_template
from autograder.controlplane.kube_apiserver.validation.rules import one_of
from autograder.controlplane.kube_apiserver.validation.storage import validate_claim_spec
from autograder.controlplane.kube_apiserver.validation.workloads import (
    always_restarts,
    amount,
    at_most_everything,
    collisions_only_grow,
    count_or_percentage,
    counts,
    is_well_formed,
    not_more_than_replicas,
    required_selector,
    selects_template,
)

Object = Mapping[str, Any]

_SPEC: Final = Path("spec")
_STATUS: Final = Path("status")
_TEMPLATE: Final = _SPEC.child("template")
_SELECTOR: Final = _SPEC.child("selector")
#: What may change in the spec of a StatefulSet.
MUTABLE: Final = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip


def validate_stateful_set(stateful_set: Object) -> Iterator[FieldError]:
    """A new StatefulSet; its name becomes part of hostnames."""
    yield from validate_metadata(stateful_set["metadata"], namespaced=True, name=names.dns_label)
    yield from _stateful_set_spec(stateful_set["spec"], is_new=True)


def validate_stateful_set_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed StatefulSet; most of its spec stays."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from _stateful_set_spec(new["spec"], is_new=False)
    fixed, before = ({name: spec[name] for name in spec if name not in MUTABLE} for spec in (new["spec"], old["spec"]))
    if fixed != before:
        why = (
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
            "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        )
        yield field.forbidden(_SPEC, why)


def validate_stateful_set_status_update(new: Object, old: Object) -> Iterator[FieldError]:
    """The changed status of a StatefulSet."""
    status = new["status"]
    sorts = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    yield from counts(status, _STATUS, "replicas", *sorts, "observedGeneration", "collisionCount")
    yield from not_more_than_replicas(status, _STATUS, *sorts)
    yield from available_are_ready(status, "status.readyReplicas")
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from collisions_only_grow(new, old)


def _stateful_set_spec(spec: Object, *, is_new: bool) -> Iterator[FieldError]:
    management = spec.get("podManagementPolicy", "")
    if not management:
        yield field.required(_SPEC.child("podManagementPolicy"))
    elif management not in ("OrderedReady", "Parallel"):
        yield field.invalid(_SPEC.child("podManagementPolicy"), management, "must be 'OrderedReady' or 'Parallel'")
    yield from _stateful_set_strategy(spec["updateStrategy"], _SPEC.child("updateStrategy"))
    retention = spec.get("persistentVolumeClaimRetentionPolicy", {})
    for name in ("whenDeleted", "whenScaled"):
        at = _SPEC.child("persistentVolumeClaimRetentionPolicy").child(name)
        yield from one_of(retention.get(name, "Retain"), at, ("Retain", "Delete"))
    if is_new:
        for position, claim in enumerate(spec.get("volumeClaimTemplates", ())):
            at = _SPEC.child("volumeClaimTemplates").index(position).child("spec")
            yield from validate_claim_spec(claim["spec"], at)
    yield from counts(spec, _SPEC, "replicas", "minReadySeconds")
    if "ordinals" in spec:
        yield from not_negative(spec["ordinals"].get("start", 0), _SPEC.child("ordinals.start"))
    if is_new and (service := spec.get("serviceName")):
        yield from invalid(_SPEC.child("serviceName"), service, names.dns_label(service))
    selector, template = spec.get("selector"), spec["template"]
    yield from required_selector(selector, "statefulset", _SELECTOR)
    if not is_well_formed(selector, _SELECTOR):
        yield field.invalid(_SELECTOR, selector, "")
    else:
        yield from selects_template(selector, template, _TEMPLATE)
        yield from validate_pod_template(_with_claimed_volumes(spec), _TEMPLATE)
        metadata = template["metadata"]
        yield from labels(metadata.get("labels"), _TEMPLATE.child("labels"))
        yield from annotation_map(metadata.get("annotations"), _TEMPLATE.child("annotations"))
        yield from validate_pod_annotations(metadata, template["spec"], _TEMPLATE.child("annotations"))
    yield from always_restarts(template["spec"], _TEMPLATE.child("spec"), "StatefulSet")


def _with_claimed_volumes(spec: Object) -> Object:
    """The template with the volumes that each pod gets from the claim templates; names in it are set per pod."""
    template = spec["template"]
    claimed = {claim["metadata"].get("name", "") for claim in spec.get("volumeClaimTemplates", ())}
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in sorted(claimed)]
    volumes += [volume for volume in template["spec"].get("volumes", ()) if volume["name"] not in claimed]
    kept = {name: value for name, value in template["spec"].items() if name not in ("subdomain", "hostname")}
    return {**template, "spec": {**kept, "volumes": volumes}}


def _stateful_set_strategy(strategy: Object, path: Path) -> Iterator[FieldError]:
    kind, rolling, at = strategy.get("type"), strategy.get("rollingUpdate"), path.child("rollingUpdate")
    shown = printed_strategy(strategy, ("partition", "Partition", 0), ("maxUnavailable", "MaxUnavailable", None))
    if not kind:
        yield field.required(path)
    elif kind == "OnDelete":
        if rolling is not None:
            yield field.invalid(at, shown["RollingUpdate"], "only allowed for updateStrategy 'RollingUpdate'")
    elif kind != "RollingUpdate":
        yield field.invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None:
        yield from counts(rolling, at, "partition")
        unavailable = rolling.get("maxUnavailable")
        if unavailable is not None:
            yield from count_or_percentage(unavailable, at.child("maxUnavailable"))
            if amount(unavailable) == 0:
                yield field.invalid(at.child("maxUnavailable"), unavailable, "cannot be 0")
            yield from at_most_everything(unavailable, at.child("maxUnavailable"))
