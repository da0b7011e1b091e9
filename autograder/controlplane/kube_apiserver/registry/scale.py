"""The ``/scale`` subresource: the number of replicas of any kind that has one, in the same form for all."""

from __future__ import annotations

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object

_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(kind: ResourceType, obj: Object) -> Object:
    """The ``autoscaling/v1`` Scale of an object."""
    spec, status = obj["spec"], obj.get("status", {})
    selector = spec.get("selector")
    if kind.plural == "replicationcontrollers":
        selector = {"matchLabels": selector}
    text = selectors.text_of_object(selector or {})
    shown: Object = {"replicas": status.get("replicas", 0)}
    if text:
        shown["selector"] = text
    replicas = spec.get("replicas", 0)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in _META if key in obj["metadata"]},
        "spec": {"replicas": replicas} if replicas else {},
        "status": shown,
    }


def scaled(obj: Object, scale: Object) -> Object:
    """The object with the replicas of a Scale, and its resourceVersion as the condition."""
    meta = {**obj["metadata"], "resourceVersion": scale["metadata"].get("resourceVersion", "")}
    return {**obj, "metadata": meta, "spec": {**obj["spec"], "replicas": scale.get("spec", {}).get("replicas", 0)}}
