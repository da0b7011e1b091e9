"""The parameters of requests that go on to a container: logs, commands, connections.

Parameters are read as apimachinery/pkg/runtime (``conversion.go``) converts them, and judged as
``ValidatePodLogOptions`` of pkg/apis/core/validation does.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from autograder.controlplane.apimachinery import field, integers, rfc3339
from autograder.controlplane.apimachinery.errors import BadRequest, Invalid
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.node_connection import LogOptions
from autograder.controlplane.apimachinery.pod_spec import all_containers
from autograder.controlplane.apimachinery.wire import Object, Request
from autograder.controlplane.kube_apiserver.validation.meta import NOT_NEGATIVE

_POSITIVE: Final = "must be greater than 0"
_ONE_OF_SINCE: Final = "at most one of `sinceTime` or `sinceSeconds` may be specified"
#: A time that is said to be none.
_NO_TIME: Final = ("", "null")


def log_options(request: Request, pod: str) -> LogOptions:
    """Which lines of the log of a pod are wanted. Raises ``BadRequest`` or ``Invalid``."""
    wanted = LogOptions(
        previous=request.flag("previous"),
        timestamps=request.flag("timestamps"),
        tail_lines=_number(request, "tailLines"),
        since_seconds=_number(request, "sinceSeconds"),
        since_time=_time(request, "sinceTime"),
        limit_bytes=_number(request, "limitBytes"),
    )
    errors: list[FieldError] = []
    if wanted.tail_lines is not None and wanted.tail_lines < 0:
        errors.append(field.invalid(Path("tailLines"), wanted.tail_lines, NOT_NEGATIVE))
    if wanted.limit_bytes is not None and wanted.limit_bytes < 1:
        errors.append(field.invalid(Path("limitBytes"), wanted.limit_bytes, _POSITIVE))
    if wanted.since_seconds is not None and "sinceTime" in request.query:
        errors.append(field.forbidden(Path("[]"), _ONE_OF_SINCE))
    elif wanted.since_seconds is not None and wanted.since_seconds < 1:
        errors.append(field.invalid(Path("sinceSeconds"), wanted.since_seconds, _POSITIVE))
    if request.query.get("stream"):
        errors.append(field.forbidden(Path("stream"), "may not be specified"))
    if errors:
        raise Invalid.on("PodLogOptions", "", pod, errors)
    return wanted


def handed_on(request: Request) -> str:
    """The parameters of a request for a log as the kubelet gets them."""
    found: dict[str, Any] = {name: "true" for name in ("follow", "previous", "timestamps") if request.flag(name)}
    given = ("limitBytes", "sinceSeconds", "sinceTime", "tailLines")
    found |= {name: request.param(name) for name in given if request.param(name)}
    return urlencode(sorted(found.items()))


def container_of(pod: Object, asked: str) -> str:
    """The container that is meant; a pod with one need not be told. Raises ``BadRequest``."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    names = [one["name"] for one in all_containers(spec)]
    if asked:
        if asked not in names:
            raise BadRequest(f"container {asked} is not valid for pod {name}")
        return asked
    if len(spec["containers"]) == 1:
        only: str = spec["containers"][0]["name"]
        return only
    raise BadRequest(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")


def _number(request: Request, name: str) -> int | None:
    if name not in request.query:
        return None
    try:
        return integers.parse(request.param(name))
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _time(request: Request, name: str) -> int | None:
    text = request.param(name)
    if text in _NO_TIME:
        return None
    try:
        return rfc3339.microseconds(text)
    except ValueError as error:
        raise BadRequest(str(error)) from None
