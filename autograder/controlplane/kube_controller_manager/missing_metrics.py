"""What an autoscaler says of a metric that nobody serves.

Source: pkg/controller/podautoscaler (horizontal.go, replica_calculator.go, metrics/client.go).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.wire import Object

_RESOURCE_API: Final = (
    "unable to fetch metrics from resource metrics API: the server could not find the requested resource "
    "(get pods.metrics.k8s.io)"
)
_CUSTOM_API: Final = (
    "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
)
_EXTERNAL_API: Final = (
    "unable to fetch metrics from external metrics API: the server could not find the requested resource"
)


class Missing(NamedTuple):
    """Why a metric has no value: the reason and message of its event, and the error of the whole computation."""

    reason: str
    message: str
    whole: str


def missing(metric: Object, namespace: str) -> Missing:
    """Why a metric of an autoscaler's spec has no value."""
    return _KINDS[metric["type"]](metric, namespace)


def _resource(metric: Object, namespace: str) -> Missing:
    source = metric["resource"]
    message = _of_resource(source)
    return Missing(
        "FailedGetResourceMetric", message, f"failed to get {source['name']} resource metric value: {message}"
    )


def _container_resource(metric: Object, namespace: str) -> Missing:
    source = metric["containerResource"]
    message = _of_resource(source)
    whole = f"failed to get {source['container']} container metric value: {message}"
    return Missing("FailedGetContainerResourceMetric", message, whole)


def _of_resource(source: Object) -> str:
    name = source["name"]
    what = "usage" if source["target"].get("averageValue") is not None else "utilization"
    return f"failed to get {name} {what}: unable to get metrics for resource {name}: {_RESOURCE_API}"


def _pods(metric: Object, namespace: str) -> Missing:
    message = f"unable to get metric {metric['pods']['metric']['name']}: {_CUSTOM_API}"
    return Missing("FailedGetPodsMetric", message, f"failed to get pods metric value: {message}")


def _object(metric: Object, namespace: str) -> Missing:
    source = metric["object"]
    name, described = source["metric"]["name"], source["describedObject"]
    # The words stand in this odd order in Kubernetes too.
    message = f"unable to get metric {name}: {described['kind']} on {namespace} {described['name']}/{_CUSTOM_API}"
    if source["target"]["type"] == "AverageValue":
        whole = f"failed to get object metric value: failed to get {name} object metric: {message}"
    else:
        whole = f"failed to get object metric value: {message}"
    return Missing("FailedGetObjectMetric", message, whole)


def _external(metric: Object, namespace: str) -> Missing:
    source = metric["external"]
    name, selector = source["metric"]["name"], source["metric"].get("selector")
    printed = "nil" if selector is None else selectors.go_syntax(selector)
    api = f"{_EXTERNAL_API} (get {name}.external.metrics.k8s.io)"
    message = f"unable to get external metric {namespace}/{name}/{printed}: {api}"
    if source["target"].get("averageValue") is not None:
        inner = f"failed to get {name} external metric: {message}"
    else:
        inner = f"failed to get external metric {name}: {message}"
    return Missing("FailedGetExternalMetric", message, f"failed to get {name} external metric value: {inner}")


_KINDS: Final[dict[str, Callable[[Object, str], Missing]]] = {
    "Resource": _resource,
    "ContainerResource": _container_resource,
    "Pods": _pods,
    "Object": _object,
    "External": _external,
}
