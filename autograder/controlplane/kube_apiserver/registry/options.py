"""The options of list, watch, delete and write requests, read from parameters and bodies and checked.

Rules and texts are those of apimachinery/pkg/apis/meta (validation of list, delete and patch options).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.errors import BadRequest, Invalid, Timeout
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.selectors import FieldSelector, LabelSelector, parse_fields, parse_labels
from autograder.controlplane.apimachinery.wire import Request

_MATCHES = ("Exact", "NotOlderThan")
_POLICIES = {"Orphan": "orphan", "Background": "background", "Foreground": "foreground"}


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What a list selects.  ``revision`` 0 is the newest; ``after`` is the last key of the page before."""

    labels: LabelSelector
    fields: FieldSelector
    limit: int = 0
    revision: int = 0
    after: str = ""

    def token(self, revision: int, last: str) -> str:
        """The ``continue`` token of the next page."""
        content = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": last}, separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What a watch selects and where it begins: after ``revision``, or with all there is (``initial_events``)."""

    labels: LabelSelector
    fields: FieldSelector
    revision: int
    initial_events: bool
    bookmark: bool
    timeout: float | None

    def refuse_future(self, current: int) -> None:
        """A revision that has not happened yet cannot be watched from."""
        raise Timeout(
            f"Too large resource version: {self.revision}, current: {current}",
            details={
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            },
        )


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How an object is to be deleted; empty fields leave it to the kind."""

    grace_period: int | None = None
    propagation: str = ""
    uid: str = ""
    revision: str = ""
    dry_run: bool = False


def list_options(request: Request, known_fields: Collection[str]) -> ListOptions:
    """The options of a list request; ``BadRequest`` or ``Invalid`` when they make no sense."""
    labels, fields = _selectors(request, known_fields)
    limit = _integer(request, "limit")
    token = request.param("continue")
    match = request.param("resourceVersionMatch")
    version = request.param("resourceVersion")
    errors = _match_errors(match, version, token)
    if request.param("sendInitialEvents"):
        errors.append(field.forbidden(Path("sendInitialEvents"), "sendInitialEvents is forbidden for list"))
    _refuse(errors)
    if token:
        revision, after = _continued(token)
        return ListOptions(labels, fields, limit, revision, after)
    revision = _revision(version)
    exact = match == "Exact"
    return ListOptions(labels, fields, limit, revision if exact else 0)


def watch_options(request: Request, known_fields: Collection[str]) -> WatchOptions:
    """The options of a watch request; ``BadRequest`` or ``Invalid`` when they make no sense."""
    labels, fields = _selectors(request, known_fields)
    version, match = request.param("resourceVersion"), request.param("resourceVersionMatch")
    asked = request.param("sendInitialEvents")
    errors = []
    if asked and match != "NotOlderThan":
        detail = "resourceVersionMatch should be set to NotOlderThan if sendInitialEvents is set"
        path = Path("resourceVersionMatch")
        errors.append(field.not_supported(path, match, ["NotOlderThan"]) if match else field.forbidden(path, detail))
    elif match and not asked:
        errors.append(
            field.forbidden(
                Path("resourceVersionMatch"),
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            )
        )
    _refuse(errors)
    revision = _revision(version)
    initial = request.flag("sendInitialEvents") if asked else not revision
    timeout = _integer(request, "timeoutSeconds")
    return WatchOptions(
        labels, fields, revision, initial, request.flag("sendInitialEvents") and request.flag("allowWatchBookmarks"),
        float(timeout) if timeout else None,
    )  # fmt: skip


def delete_options(request: Request, body: dict[str, Any]) -> DeleteOptions:
    """The options of a delete request, from its body or else its parameters."""
    grace = body.get("gracePeriodSeconds")
    if grace is None and request.param("gracePeriodSeconds"):
        grace = _integer(request, "gracePeriodSeconds")
    policy = body.get("propagationPolicy") or request.param("propagationPolicy")
    orphan = body.get("orphanDependents")
    errors = []
    if policy and orphan is not None:
        errors.append(
            field.invalid(
                Path("propagationPolicy"), policy, "orphanDependents and deletionPropagation cannot be both set"
            )
        )
    if policy and policy not in _POLICIES:
        errors.append(field.not_supported(Path("propagationPolicy"), policy, [*sorted(_POLICIES), "nil"]))
    dry_run = dry_run_option(body.get("dryRun") or list(request.query.get("dryRun", ())), errors)
    if errors:
        raise Invalid.on("DeleteOptions", "meta.k8s.io", "", errors)
    propagation = _POLICIES.get(policy, "")
    if orphan is not None:
        propagation = "orphan" if orphan else "background"
    preconditions = body.get("preconditions") or {}
    return DeleteOptions(
        grace, propagation, preconditions.get("uid", ""), preconditions.get("resourceVersion", ""), dry_run
    )


def dry_run_option(values: list[str], errors: list[FieldError]) -> bool:
    """Whether a write is only tried; ``All`` is the one value there is."""
    if any(value != "All" for value in values):
        errors.append(field.not_supported(Path("dryRun"), values, ["All"]))
    return bool(values)


def _selectors(request: Request, known_fields: Collection[str]) -> tuple[LabelSelector, FieldSelector]:
    labels = parse_labels(request.param("labelSelector"))
    fields = parse_fields(request.param("fieldSelector"))
    for requirement in fields.requirements:
        if requirement.field not in known_fields:
            raise BadRequest(f"field label not supported: {requirement.field}")
    return labels, fields


def _match_errors(match: str, version: str, token: str) -> list[FieldError]:
    path = Path("resourceVersionMatch")
    errors: list[FieldError] = []
    if token and version and version != "0":
        raise BadRequest("specifying resource version is not allowed when using continue")
    if not match:
        return errors
    if token:
        errors.append(field.forbidden(path, "resourceVersionMatch is forbidden when continue is provided"))
    elif not version:
        errors.append(field.forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if match not in _MATCHES:
        errors.append(field.not_supported(path, match, [*_MATCHES, ""]))
    if match == "Exact" and version == "0":
        errors.append(field.forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    return errors


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise Invalid.on("ListOptions", "meta.k8s.io", "", errors)


def _revision(text: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdigit():
        raise Invalid.on(
            "ListOptions",
            "meta.k8s.io",
            "",
            [field.invalid(Path("resourceVersion"), text, f'strconv.ParseUint: parsing "{text}": invalid syntax')],
        )
    return int(text)


def _integer(request: Request, name: str) -> int:
    text = request.param(name)
    if not text:
        return 0
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _continued(token: str) -> tuple[int, str]:
    """Revision and last key of a ``continue`` token; a token that is not ours is a bad request."""
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        revision, start = content["rv"], content["start"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequest(f"continue key is not valid: {error}") from None
    if not isinstance(revision, int) or not isinstance(start, str) or not start.startswith("/registry/"):
        raise BadRequest("continue key is not valid: it names no key")
    return revision, start
