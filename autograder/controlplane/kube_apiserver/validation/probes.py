"""Rules for probes and lifecycle hooks of a container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import invalid, not_negative
from autograder.controlplane.kube_apiserver.validation.rules import one_of, port_number_or_name

Object = Mapping[str, Any]

PROBE_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
HOOK_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "sleep")
TIMES: Final = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
SCHEMES: Final = ("HTTP", "HTTPS")


def validate_probes(container: Object, path: Path) -> Iterator[FieldError]:
    """The three probes of a container."""
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is None:
            continue
        at = path.child(name)
        yield from _handler(probe, PROBE_HANDLERS, at, None)
        for time in TIMES:
            yield from not_negative(probe.get(time, 0), at.child(time))
        grace = probe.get("terminationGracePeriodSeconds")
        if grace is not None and grace <= 0:
            yield field.invalid(at.child("terminationGracePeriodSeconds"), grace, "must be greater than 0")
        if name != "readinessProbe" and probe["successThreshold"] != 1:
            yield field.invalid(at.child("successThreshold"), probe["successThreshold"], "must be 1")
        if name == "readinessProbe" and grace is not None:
            why = "must not be set for readinessProbes"
            yield field.invalid(at.child("terminationGracePeriodSeconds"), grace, why)


def validate_lifecycle(lifecycle: Object | None, path: Path, spec: Object) -> Iterator[FieldError]:
    """What is done after the start of a container and before its end."""
    if lifecycle is None:
        return
    for name in ("postStart", "preStop"):
        if name in lifecycle:
            yield from _handler(lifecycle[name], HOOK_HANDLERS, path.child(name), spec["terminationGracePeriodSeconds"])


def _handler(handler: Object, kinds: tuple[str, ...], path: Path, grace: int | None) -> Iterator[FieldError]:
    given = [kind for kind in kinds if kind in handler]
    if not given:
        yield field.required(path, "must specify a handler type")
        return
    kind, action, at = given[0], handler[given[0]], path.child(given[0])
    if kind == "exec" and not action.get("command"):
        yield field.required(at.child("command"))
    elif kind == "httpGet":
        yield from _http_get(action, at)
    elif kind in ("tcpSocket", "grpc"):
        yield from port_number_or_name(action["port"], at.child("port"))
    elif kind == "sleep" and grace is not None and not 0 <= action["seconds"] <= grace:
        why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        yield field.invalid(at, action["seconds"], why)
    for other in given[1:]:
        yield field.forbidden(path.child(other), "may not specify more than 1 handler type")


def _http_get(action: Object, path: Path) -> Iterator[FieldError]:
    if not action.get("path"):
        yield field.required(path.child("path"))
    yield from port_number_or_name(action["port"], path.child("port"))
    yield from one_of(action.get("scheme", ""), path.child("scheme"), SCHEMES)
    for header in action.get("httpHeaders", ()):
        yield from invalid(path.child("httpHeaders"), header["name"], names.header_name(header["name"]))
