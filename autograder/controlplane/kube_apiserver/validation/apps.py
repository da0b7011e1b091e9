"""Rules for Deployments, ReplicaSets, DaemonSets, ReplicationControllers and ControllerRevisions.

Source: pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.emptied import as_given
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation.meta import (
    immutable,
    label_selector,
    not_negative,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.pods import validate_pod_template
from autograder.controlplane.kube_apiserver.validation.workloads import (
    MISMATCH,
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
MALFORMED_SELECTOR: Final = "invalid label selector"


def printed_strategy(strategy: Object, *fields: tuple[str, str, Any]) -> Object:
    """A strategy as Go prints its internal type; ``fields`` are those of ``rollingUpdate``: name, Go name, default."""
    rolling = strategy.get("rollingUpdate")
    shown = rolling and {go_name: rolling.get(name, default) for name, go_name, default in fields}
    return {"Type": strategy.get("type", ""), "RollingUpdate": shown}


# ---------------------------------------------------------------- Deployment


def validate_deployment(deployment: Object) -> Iterator[FieldError]:
    """A new Deployment."""
    yield from validate_metadata(deployment["metadata"], namespaced=True)
    yield from _deployment_spec(deployment["spec"])


def validate_deployment_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed Deployment; its selector stays."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from _deployment_spec(new["spec"])
    yield from immutable(new["spec"].get("selector"), old["spec"].get("selector"), _SELECTOR)


def validate_deployment_status_update(new: Object, old: Object) -> Iterator[FieldError]:
    """The changed status of a Deployment."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    status = new["status"]
    yield from counts(
        status, _STATUS, "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
        "unavailableReplicas", "terminatingReplicas", "collisionCount",
    )  # fmt: skip
    yield from not_more_than_replicas(status, _STATUS, "updatedReplicas", "readyReplicas", "availableReplicas")
    yield from available_are_ready(status, "readyReplicas")
    yield from collisions_only_grow(new, old)


def _deployment_spec(spec: Object) -> Iterator[FieldError]:
    yield from counts(spec, _SPEC, "replicas")
    yield from required_selector(spec.get("selector"), "deployment", _SELECTOR)
    yield from _selected_template(spec)
    yield from _deployment_strategy(spec["strategy"], _SPEC.child("strategy"))
    yield from counts(spec, _SPEC, "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        yield field.invalid(_SPEC.child("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds")


def _selected_template(spec: Object) -> Iterator[FieldError]:
    """The template of a ReplicaSet, or of the ReplicaSets of a Deployment."""
    selector = spec.get("selector")
    if not is_well_formed(selector, _SELECTOR):
        yield field.invalid(_SELECTOR, selector, MALFORMED_SELECTOR)
        return
    yield from selects_template(selector, spec["template"], _TEMPLATE)
    yield from validate_pod_template(spec["template"], _TEMPLATE)
    yield from always_restarts(spec["template"]["spec"], _TEMPLATE.child("spec"), "ReplicaSet")


def _deployment_strategy(strategy: Object, path: Path) -> Iterator[FieldError]:
    kind, rolling, at = strategy.get("type"), strategy.get("rollingUpdate"), path.child("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            yield field.forbidden(at, "may not be specified when strategy `type` is 'Recreate'")
    elif kind != "RollingUpdate":
        shown = printed_strategy(strategy, ("maxUnavailable", "MaxUnavailable", 0), ("maxSurge", "MaxSurge", 0))
        yield field.not_supported(path, shown, ("Recreate", "RollingUpdate"))
    elif rolling is None:
        yield field.required(at, "this should be defaulted and never be nil")
    else:
        unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
        yield from count_or_percentage(unavailable, at.child("maxUnavailable"))
        yield from count_or_percentage(surge, at.child("maxSurge"))
        if amount(unavailable) == 0 and amount(surge) == 0:
            yield field.invalid(at.child("maxUnavailable"), unavailable, "may not be 0 when `maxSurge` is 0")
        yield from at_most_everything(unavailable, at.child("maxUnavailable"))


def available_are_ready(status: Object, called: str) -> Iterator[FieldError]:
    """No more pods are available than are ready; ``called`` is what the message calls these."""
    available = status.get("availableReplicas", 0)
    if available > status.get("readyReplicas", 0):
        yield field.invalid(_STATUS.child("availableReplicas"), available, f"cannot be greater than {called}")


# ---------------------------------------------------------------- ReplicaSet, ReplicationController


def validate_replica_set(replica_set: Object) -> Iterator[FieldError]:
    """A new ReplicaSet."""
    yield from validate_metadata(replica_set["metadata"], namespaced=True)
    yield from _replica_set_spec(replica_set["spec"])


def validate_replica_set_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed ReplicaSet; its selector stays."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from _replica_set_spec(new["spec"])
    yield from immutable(new["spec"].get("selector"), old["spec"].get("selector"), _SELECTOR)


def validate_replicas_status_update(new: Object, old: Object) -> Iterator[FieldError]:
    """The changed status of a ReplicaSet or a ReplicationController."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    status = new["status"]
    yield from counts(
        status, _STATUS, "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas",
        "observedGeneration", "terminatingReplicas",
    )  # fmt: skip
    yield from not_more_than_replicas(status, _STATUS, "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    yield from available_are_ready(status, "readyReplicas")


def _replica_set_spec(spec: Object) -> Iterator[FieldError]:
    yield from counts(spec, _SPEC, "replicas", "minReadySeconds")
    yield from required_selector(spec.get("selector"), "deployment", _SELECTOR)
    yield from _selected_template(spec)


def validate_replication_controller(controller: Object) -> Iterator[FieldError]:
    """A new ReplicationController."""
    yield from validate_metadata(controller["metadata"], namespaced=True)
    yield from _controller_spec(controller["spec"])


def validate_replication_controller_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed ReplicationController."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from _controller_spec(new["spec"])


def _controller_spec(spec: Object) -> Iterator[FieldError]:
    selector, template = spec.get("selector"), spec.get("template")
    yield from counts(spec, _SPEC, "minReadySeconds")
    if not selector:
        yield field.required(_SELECTOR)
    yield from counts(spec, _SPEC, "replicas")
    if template is None:
        yield field.required(_TEMPLATE)
        return
    given = template["metadata"].get("labels")
    if selector and not selector.items() <= (given or {}).items():
        shown = as_given(template["metadata"], "labels")
        yield field.invalid(_TEMPLATE.child("metadata").child("labels"), shown, MISMATCH)
    yield from validate_pod_template(template, _TEMPLATE)
    yield from always_restarts(template["spec"], _TEMPLATE.child("spec"), "ReplicationController")


# ---------------------------------------------------------------- DaemonSet


def validate_daemon_set(daemon_set: Object) -> Iterator[FieldError]:
    """A new DaemonSet."""
    yield from validate_metadata(daemon_set["metadata"], namespaced=True)
    yield from _daemon_set_spec(daemon_set["spec"])


def validate_daemon_set_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed DaemonSet; its selector stays."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from immutable(new["spec"].get("selector"), old["spec"].get("selector"), _SELECTOR)
    yield from _daemon_set_spec(new["spec"])


def validate_daemon_set_status_update(new: Object, old: Object) -> Iterator[FieldError]:
    """The changed status of a DaemonSet."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from counts(
        new["status"], _STATUS, "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled",
        "numberReady", "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable",
        "collisionCount",
    )  # fmt: skip
    yield from collisions_only_grow(new, old)


def _daemon_set_spec(spec: Object) -> Iterator[FieldError]:
    selector, template = spec.get("selector"), spec["template"]
    yield from label_selector(selector, _SELECTOR)
    if is_well_formed(selector, _SELECTOR):
        yield from selects_template(selector, template, _TEMPLATE)
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield field.invalid(_SELECTOR, selector, "empty selector is invalid for daemonset")
    yield from validate_pod_template(template, _TEMPLATE)
    yield from always_restarts(template["spec"], _TEMPLATE.child("spec"), "DaemonSet")
    yield from counts(spec, _SPEC, "minReadySeconds")
    yield from _daemon_set_strategy(spec["updateStrategy"], _SPEC.child("updateStrategy"))
    yield from counts(spec, _SPEC, "revisionHistoryLimit")


def _daemon_set_strategy(strategy: Object, path: Path) -> Iterator[FieldError]:
    kind, rolling, at = strategy.get("type"), strategy.get("rollingUpdate"), path.child("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        shown = printed_strategy(strategy, ("maxUnavailable", "MaxUnavailable", 0), ("maxSurge", "MaxSurge", 0))
        yield field.not_supported(path, shown, ("RollingUpdate", "OnDelete"))
    elif rolling is None:
        yield field.required(at)
    else:
        unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
        for rule in (count_or_percentage, at_most_everything):
            yield from rule(unavailable, at.child("maxUnavailable"))
            yield from rule(surge, at.child("maxSurge"))
        if amount(unavailable) and amount(surge):
            yield field.invalid(at.child("maxSurge"), surge, "may not be set when maxUnavailable is non-zero")
        elif not amount(unavailable) and not amount(surge):
            yield field.required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0")


# ---------------------------------------------------------------- ControllerRevision


def validate_controller_revision(revision: Object) -> Iterator[FieldError]:
    """A new revision of a StatefulSet or DaemonSet."""
    yield from _revision(revision)
    data = revision.get("data")
    if data is None:
        yield field.required(Path("data"), "data is mandatory")
    elif not isinstance(data, dict):
        yield field.required(Path("data"), "data must be a valid JSON object")


def validate_controller_revision_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed revision; what it holds stays."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from _revision(new)
    yield from immutable(new.get("data"), old.get("data"), Path("data"))


def _revision(revision: Object) -> Iterator[FieldError]:
    yield from validate_metadata(revision["metadata"], namespaced=True)
    yield from not_negative(revision["revision"], Path("revision"))
