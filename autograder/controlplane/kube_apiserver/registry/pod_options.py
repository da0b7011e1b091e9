"""The parameters of requests that go on to a container: logs, commands, connections.

Parameters are read as apimachinery/pkg/runtime (``conversion.go``) converts them, and judged as
``ValidatePodLogOptions`` of pkg/apis/core/validation does.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlencode

from autograder.controlplane.apimachinery import field, integers, timestamps
from autograder.controlplane.apimachinery.errors import BadRequest, Invalid
from autograder.controlplane.apimachinery.field import FieldError, Path, quoted
from autograder.controlplane.apimachinery.node_connection import LogOptions
from autograder.controlplane.apimachinery.wire import Object, Request
from autograder.controlplane.kube_apiserver.validation.meta import NOT_NEGATIVE

_GROUPS: Final = ("initContainers", "containers", "ephemeralContainers")
_POSITIVE: Final = "must be greater than 0"
_ONE_OF_SINCE: Final = "at most one of `sinceTime` or `sinceSeconds` may be specified"
_RFC3339: Final = "2006-01-02T15:04:05Z07:00"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
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
    names = [one["name"] for group in _GROUPS for one in spec.get(group) or ()]
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
    if not _TIME.fullmatch(text):
        raise BadRequest(_unparsed(text))
    try:
        return timestamps.parse(text)
    except ValueError:
        raise BadRequest(f"parsing time {quoted(text)}: {_out_of_range(text)} out of range") from None


def _unparsed(text: str) -> str:
    """What Go's ``time.Parse`` says of a text that does not have the form of a time: from where on it does not."""
    rest, layout = text, _RFC3339
    for element, pattern in _ELEMENTS:
        found = re.match(pattern, rest)
        if found is None:
            break
        rest, layout = rest[found.end() :], layout.removeprefix(element)
        element = next((one for one, _ in _ELEMENTS if layout.startswith(one)), "")
    else:
        return f"parsing time {quoted(text)}: extra text: {quoted(rest)}"
    return f"parsing time {quoted(text)} as {quoted(_RFC3339)}: cannot parse {quoted(rest)} as {quoted(element)}"


#: The parts of a time, as Go spells and reads them.
_ELEMENTS: Final = (
    ("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"), ("15", r"\d\d"),
    (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d(\.\d+)?"), ("Z07:00", r"Z|[+-]\d\d:\d\d"),
)  # fmt: skip


def _out_of_range(text: str) -> str:
    """Which part of a time is more than there can be."""
    month, hour, minute, second = (int(text[at : at + 2]) for at in (5, 11, 14, 17))
    parts = {"month": not 1 <= month <= 12, "hour": hour > 23, "minute": minute > 59, "second": second > 59}
    return next((name for name, wrong in parts.items() if wrong), "day")
