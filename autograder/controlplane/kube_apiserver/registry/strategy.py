"""How resources differ: one row per kind, read by the generic registry.

A row says what may be selected by field, whether an update needs a resourceVersion, and who removes dependents.
Preparing, defaulting and validating have tables of their own; what only one kind does is in a module of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object

Fields = Mapping[str, str]


def _meta_fields(obj: Object) -> Fields:
    meta = obj["metadata"]
    return {"metadata.name": meta["name"], "metadata.namespace": meta.get("namespace", "")}


def _text(value: object) -> str:
    """A field's value as selectors compare it: booleans in lower case, absent as the empty string."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _selectable(*paths: str, **defaults: str) -> Callable[[Object], Fields]:
    """The object's metadata fields and those at some paths; ``defaults`` stand in for absent ones."""
    steps = [(path, path.split(".")) for path in paths]

    def fields(obj: Object) -> Fields:
        found = dict(_meta_fields(obj))
        for path, keys in steps:
            value: object = obj
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            found[path] = _text(value) or defaults.get(keys[-1], "")
        return found

    return fields


def _event_fields(obj: Object) -> Fields:
    paths = _selectable(
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "type",
    )
    fields = dict(paths(obj))
    fields["source"] = obj.get("source", {}).get("component", "") or fields["reportingComponent"]
    return fields


def _new_event_fields(obj: Object) -> Fields:
    """The fields of a stored event by the names of ``events.k8s.io``, which has no ``source``."""
    renamed = {"reportingComponent": "reportingController"}
    return {
        renamed.get(name) or name.replace("involvedObject.", "regarding."): value
        for name, value in _event_fields(obj).items()
        if name != "source"
    }


def _pod_fields(obj: Object) -> Fields:
    fields = dict(_POD_PATHS(obj))
    spec = obj["spec"]
    fields["spec.hostNetwork"] = _text(spec.get("hostNetwork", False))
    return fields


_POD_PATHS = _selectable(
    "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
    "status.podIP", "status.nominatedNodeName",
)  # fmt: skip

Dependents = Literal["background", "orphan"]


@dataclass(frozen=True)
class Strategy:
    """The rules of one kind.

    ``fields`` gives the values that a field selector may ask for.  ``dependents`` is what a deletion without a
    propagation policy does with the objects that this one owns.
    """

    fields: Callable[[Object], Fields] = _meta_fields
    unconditional_update: bool = True
    create_on_update: bool = False
    dependents: Dependents = "background"


_DEFAULT = Strategy()

_STRATEGIES: dict[ResourceType, Strategy] = {
    scheme.PODS: Strategy(_pod_fields),
    scheme.NODES: Strategy(_selectable("spec.unschedulable", unschedulable="false")),
    scheme.NAMESPACES: Strategy(_selectable("status.phase")),
    scheme.SECRETS: Strategy(_selectable("type")),
    scheme.SERVICES: Strategy(_selectable("spec.clusterIP", "spec.type"), create_on_update=True),
    scheme.EVENTS: Strategy(_event_fields, create_on_update=True),
    scheme.resource("events", "events.k8s.io"): Strategy(_new_event_fields, create_on_update=True),
    scheme.REPLICATIONCONTROLLERS: Strategy(_selectable("status.replicas", replicas="0"), dependents="orphan"),
    scheme.JOBS: Strategy(_selectable("status.successful"), dependents="orphan"),
    scheme.LEASES: Strategy(unconditional_update=False, create_on_update=True),
    scheme.ENDPOINTS: Strategy(create_on_update=True),
    scheme.LIMITRANGES: Strategy(create_on_update=True),
    scheme.PODDISRUPTIONBUDGETS: Strategy(unconditional_update=False),
    scheme.resource("roles", "rbac.authorization.k8s.io"): Strategy(create_on_update=True),
    scheme.resource("rolebindings", "rbac.authorization.k8s.io"): Strategy(create_on_update=True),
    scheme.resource("clusterroles", "rbac.authorization.k8s.io"): Strategy(create_on_update=True),
    scheme.resource("clusterrolebindings", "rbac.authorization.k8s.io"): Strategy(create_on_update=True),
}


def strategy_of(kind: ResourceType) -> Strategy:
    """The rules of a kind; most kinds have none of their own."""
    return _STRATEGIES.get(kind, _DEFAULT)


@dataclass(frozen=True, slots=True)
class FieldLabels:
    """The fields that a field selector may name, and what is said of any other (``{}`` is its name)."""

    names: frozenset[str]
    refusal: str


@cache
def field_labels(kind: ResourceType) -> FieldLabels:
    """The fields that a field selector of a kind may name."""
    fields = strategy_of(kind).fields
    probe: Object = {"metadata": {"name": "", "namespace": ""}, "spec": {}, "status": {}}
    return FieldLabels(frozenset(fields(probe)), _refusal(kind, has_no_fields=fields is _meta_fields))


def _refusal(kind: ResourceType, *, has_no_fields: bool) -> str:
    if has_no_fields:
        return '"{}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    if kind is scheme.JOBS:
        return 'field label "{}" not supported for Job'
    return "field label not supported: {}"
