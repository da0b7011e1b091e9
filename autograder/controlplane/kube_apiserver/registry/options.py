"""The options of list, watch, delete and write requests, read from parameters and bodies and checked.

Rules and texts are those of apimachinery/pkg/apis/meta (validation of list, delete and patch options).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograder.controlplane.apimachinery import field, integers
from autograder.controlplane.apimachinery.errors import BadRequest, Invalid, Unclassified
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.field_selectors import FieldSelector, parse_fields
from autograder.controlplane.apimachinery.selectors import (
    LabelSelector,
    Requirement,
    parse_labels,
)
from autograder.controlplane.apimachinery.wire import Request
from autograder.controlplane.kube_apiserver.registry import continue_tokens
from autograder.controlplane.kube_apiserver.registry.strategy import FieldLabels
from autograder.controlplane.kube_apiserver.validation import names

_MATCHES = ("Exact", "NotOlderThan")
_POLICIES = {"Foreground": "foreground", "Background": "background", "Orphan": "orphan"}


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What a list selects, and as of when.

    ``revision`` is the one to show, 0 the newest, which must not be older than ``minimum``.  ``start`` is the first key
    of a next page, below the folder that is listed.  ``is_of_cache`` allows an answer of any age, which has no pages.
    """

    labels: LabelSelector
    fields: FieldSelector
    limit: int = 0
    revision: int = 0
    minimum: int = 0
    start: str = ""
    is_of_cache: bool = False


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What a watch selects and where it begins: after ``revision``, or with all there is (``initial_events``).

    ``bookmarks`` are sent now and then; ``bookmark`` is the one that says that all there was has been sent.
    """

    labels: LabelSelector
    fields: FieldSelector
    revision: int
    initial_events: bool
    bookmark: bool
    bookmarks: bool


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How an object is to be deleted; empty fields leave it to the kind.

    ``is_not_orphaning`` is whether the client has set the deprecated ``orphanDependents`` to false.
    """

    grace_period: int | None = None
    propagation: str = ""
    uid: str = ""
    revision: str = ""
    dry_run: bool = False
    is_not_orphaning: bool = False


def list_options(request: Request, known_fields: FieldLabels) -> ListOptions:
    """The options of a list request; ``BadRequest`` or ``Invalid`` when they make no sense."""
    labels, fields = _selectors(request)
    _integer(request, "timeoutSeconds")  # lists do not take that long; here it must only be a number
    limit = _integer(request, "limit")
    _check_fields(fields, known_fields)
    token = request.param("continue")
    match = request.param("resourceVersionMatch")
    version = request.param("resourceVersion")
    errors = _match_errors(match, version, token)
    if request.param("sendInitialEvents"):
        errors.append(field.forbidden(Path("sendInitialEvents"), "sendInitialEvents is forbidden for list"))
    _refuse(errors)
    if token:
        revision, start = continue_tokens.decode(token)
        if version not in ("", "0"):
            raise BadRequest("specifying resource version is not allowed when using continue")
        return ListOptions(labels, fields, limit, max(revision, 0), start=start)
    if version == "0" and match != "Exact":
        return ListOptions(labels, fields, limit, is_of_cache=True)
    revision = _revision(version)
    if match == "Exact" or (limit > 0 and not match):
        return ListOptions(labels, fields, limit, revision)
    return ListOptions(labels, fields, limit, minimum=revision)


def minimum_revision(request: Request) -> int:
    """The revision that a get wants to be reached at least; 0 is any."""
    return _stated_revision(request.param("resourceVersion"))


def watch_options(request: Request, known_fields: FieldLabels) -> WatchOptions:
    """The options of a watch request; ``BadRequest`` or ``Invalid`` when they make no sense."""
    labels, fields = _selectors(request)
    _integer(request, "timeoutSeconds")  # kept by whoever holds the connection; here it must only be a number
    _integer(request, "limit")
    _check_fields(fields, known_fields)
    version, match = request.param("resourceVersion"), request.param("resourceVersionMatch")
    asked = request.param("sendInitialEvents")
    errors = []
    path = Path("resourceVersionMatch")
    if asked and match != "NotOlderThan":
        detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        errors.append(field.forbidden(path, detail))
    if match and not asked:
        detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        errors.append(field.forbidden(path, detail))
    if match and match != "NotOlderThan":
        errors.append(field.not_supported(path, match, ["NotOlderThan"]))
    if match and request.param("continue"):
        errors.append(field.forbidden(path, "resourceVersionMatch is forbidden when continue is provided"))
    _refuse(errors)
    revision = _stated_revision(version)
    initial = request.flag("sendInitialEvents") if asked else not revision
    bookmarks = request.flag("allowWatchBookmarks")
    return WatchOptions(labels, fields, revision, initial, request.flag("sendInitialEvents") and bookmarks, bookmarks)


def delete_options(request: Request, body: dict[str, Any] | None) -> DeleteOptions:
    """The options of a delete request: those of its body, or, where it has none, those of its parameters."""
    given = _delete_parameters(request) if body is None else body
    policy, orphan = given.get("propagationPolicy") or "", given.get("orphanDependents")
    errors = []
    if policy and orphan is not None:
        errors.append(
            field.invalid(
                Path("propagationPolicy"), policy, "orphanDependents and deletionPropagation cannot be both set"
            )
        )
    if policy and policy not in _POLICIES:
        errors.append(field.not_supported(Path("propagationPolicy"), policy, [*_POLICIES, "nil"]))
    dry_run = dry_run_option(given.get("dryRun") or [], errors)
    if errors:
        raise Invalid.on("DeleteOptions", "meta.k8s.io", "", errors)
    propagation = _POLICIES.get(policy, "")
    if orphan is not None:
        propagation = "orphan" if orphan else "background"
    preconditions = given.get("preconditions") or {}
    return DeleteOptions(
        given.get("gracePeriodSeconds"), propagation, preconditions.get("uid", ""),
        preconditions.get("resourceVersion", ""), dry_run, is_not_orphaning=orphan is False,
    )  # fmt: skip


def _delete_parameters(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if request.param("gracePeriodSeconds"):
        given["gracePeriodSeconds"] = _integer(request, "gracePeriodSeconds")
    if "orphanDependents" in request.query:
        given["orphanDependents"] = request.flag("orphanDependents")
    return {
        **given, "propagationPolicy": request.param("propagationPolicy"), "dryRun": [*request.query.get("dryRun", ())],
    }  # fmt: skip


def dry_run_option(values: list[str], errors: list[FieldError]) -> bool:
    """Whether a write is only tried; ``All`` is the one value there is."""
    if any(value != "All" for value in values):
        errors.append(field.not_supported(Path("dryRun"), values, ["All"]))
    return bool(values)


def _selectors(request: Request) -> tuple[LabelSelector, FieldSelector]:
    return parse_valid_labels(request.param("labelSelector")), parse_fields(request.param("fieldSelector"))


def _check_fields(fields: FieldSelector, known: FieldLabels) -> None:
    for requirement in fields.requirements:
        if requirement.field not in known.names:
            raise BadRequest(known.refusal.format(requirement.field))


def parse_valid_labels(text: str) -> LabelSelector:
    """The label selector that a text spells, of keys and values that labels may have; ``BadRequest``."""
    return parse_labels(text, _check_label)


def _check_label(one: Requirement) -> None:
    wrong = [("<nil>", one.key, names.label_key(one.key))]
    if not wrong[0][2]:
        values = enumerate(sorted(one.values))
        wrong = [(f"values[{place}][{one.key}]", value, names.label_value(value)) for place, value in values]
    texts = [f"{path}: Invalid value: {field.quoted(given)}: {'; '.join(why)}" for path, given, why in wrong if why]
    if texts:
        listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        raise BadRequest(f"unable to parse requirement: {listed}")


def _match_errors(match: str, version: str, token: str) -> list[FieldError]:
    path = Path("resourceVersionMatch")
    errors: list[FieldError] = []
    if match and not version:
        errors.append(field.forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if match and token:
        errors.append(field.forbidden(path, "resourceVersionMatch is forbidden when continue is provided"))
    if match and match not in _MATCHES:
        errors.append(field.not_supported(path, match, [*_MATCHES, ""]))
    if match == "Exact" and version == "0":
        errors.append(field.forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    return errors


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise Invalid.on("ListOptions", "meta.k8s.io", "", errors)


def _revision(text: str) -> int:
    try:
        return integers.parse_unsigned(text or "0")
    except ValueError as error:
        wrong = field.invalid(Path("resourceVersion"), text, str(error))
        raise BadRequest(f"invalid resource version: {wrong}") from None


def _stated_revision(text: str) -> int:
    """The revision of a get or a watch, of which a real server does not say that the request was bad."""
    try:
        return _revision(text)
    except BadRequest as error:
        raise Unclassified(error.message.partition(": ")[2]) from error


def _integer(request: Request, name: str) -> int:
    try:
        return integers.parse(request.param(name) or "0")
    except ValueError as error:
        raise BadRequest(str(error)) from None
