"""Turns a request body into an API object in the form that a real API server would give back, or says why not.

Three steps, as in Kubernetes: the bytes are parsed; the value is read into the fields of the Go type of its kind; and
what does not belong there (unknown fields, fields given twice) is refused, warned of or dropped, as the client asks.

The object that comes out is in *normal form*: nulls and unknown fields are gone, empty values stand only where Go's
JSON has them (``emptied`` tells what was given empty), quantities and times are spelt canonically, fields stand in the
order of the Go type and the keys of maps are sorted. Nothing of the input is shared with it but strings, so that it
may be changed in place by defaulting and admission.

The bytes are read by ``parsing``, values by ``reading``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn

from autograder.controlplane.apimachinery import types
from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.kube_apiserver import repeated_keys
from autograder.controlplane.kube_apiserver.parsing import (
    BODY_LIMIT,
    Repeated,
    parse,
    parse_body,
)
from autograder.controlplane.kube_apiserver.reading import reader_of, struct_of
from autograder.controlplane.kube_apiserver.reading.mismatches import Malformed, Mismatch, shown_type, word_for
from autograder.controlplane.kube_apiserver.reading.refusals import refuse_unmarshalled
from autograder.controlplane.kube_apiserver.reading.scalars import OWN_READERS
from autograder.controlplane.kube_apiserver.unreadable import Undecodable, Unreadable

__all__ = [
    "BODY_LIMIT",
    "CannotBeHandled",
    "Decoded",
    "FieldValidation",
    "Unrecognized",
    "decode",
    "normal_form",
    "parse",
    "parse_body",
]

FieldValidation = Literal["Strict", "Warn", "Ignore"]

#: Strict decoding errors that are reported at most.
STRICT_ERROR_LIMIT: Final = 100


class CannotBeHandled(BadRequest):
    """A body that can be read and is no object of the kind; ``why`` is the reason alone."""

    def __init__(self, given: str, api_version: str, kind: str, why: str) -> None:
        version = api_version.rpartition("/")[2]
        super().__init__(f'{given} in version "{version}" cannot be handled as a {kind}: {why}')
        self.why = why


class Unrecognized(BadRequest):
    """A body of which it cannot be told what it is; ``why`` is the reason alone."""

    def __init__(self, kind: str, why: str, body: Any) -> None:
        super().__init__(f"the object provided is unrecognized (must be of type {kind}): {why} ({_summary(body)})")
        self.why = why


#: Kinds that every group and version has.
UNVERSIONED: Final = frozenset({"APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status"})

#: Kind -> the groups and versions that it once had, which a server still knows by name.
FORMER_VERSIONS: Final[dict[str, tuple[str, ...]]] = {
    "ControllerRevision": ("apps/v1beta1", "apps/v1beta2"),
    "CronJob": ("batch/v1beta1",),
    "DaemonSet": ("apps/v1beta2", "extensions/v1beta1"),
    "Deployment": ("apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"),
    "EndpointSlice": ("discovery.k8s.io/v1beta1",),
    "HorizontalPodAutoscaler": ("autoscaling/v1", "autoscaling/v2beta1", "autoscaling/v2beta2"),
    "Ingress": ("extensions/v1beta1", "networking.k8s.io/v1beta1"),
    "IngressClass": ("networking.k8s.io/v1beta1",),
    "Lease": ("coordination.k8s.io/v1beta1",),
    "NetworkPolicy": ("extensions/v1beta1",),
    "PodDisruptionBudget": ("policy/v1beta1",),
    "PriorityClass": ("scheduling.k8s.io/v1alpha1", "scheduling.k8s.io/v1beta1"),
    "ReplicaSet": ("apps/v1beta2", "extensions/v1beta1"),
    "StatefulSet": ("apps/v1beta1", "apps/v1beta2"),
    "StorageClass": ("storage.k8s.io/v1beta1",),
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """An object in normal form, and what was wrong with the body but tolerated."""

    object: dict[str, Any]
    warnings: tuple[str, ...] = ()


def decode(
    body: bytes | dict[str, Any],
    type_name: str,
    *,
    kind: str,
    api_version: str,
    field_validation: FieldValidation = "Strict",
    media_type: str = "application/json",
) -> Decoded:
    """Read a body as an object of a kind.

    ``body`` is bytes of ``media_type`` or an already parsed value; ``type_name`` names the Go type (``core/v1.Pod``,
    see ``types.type_name``); ``kind`` and ``api_version`` are those of the resource, for a body that has none.
    Raises ``BadRequest`` with Kubernetes' message, ``RequestEntityTooLarge`` for a body over ``BODY_LIMIT``.
    """
    value, repeats = _parsed(body, kind, media_type) if isinstance(body, bytes) else (body, False)
    if value is None:
        value = {}
    given_version, given_kind = _kind_of(value, kind, api_version, body)
    if (given_version, given_kind) != (api_version, kind):
        _refuse_kind(given_version, given_kind, kind, api_version)
    unknown: list[str] = []
    try:
        decoded = reader_of(type_name)({**value, "kind": kind, "apiVersion": api_version}, unknown)
    except (Mismatch, Malformed) as error:
        raise CannotBeHandled(kind, api_version, kind, _what_counts(error, value, type_name)) from error
    except RecursionError as error:
        raise CannotBeHandled(kind, api_version, kind, "exceeded max depth") from error
    if field_validation == "Ignore":
        return Decoded(decoded)
    keys = repeated_keys.find(body) if isinstance(body, bytes) and "yaml" in media_type else ()
    if not (unknown or repeats or keys):
        return Decoded(decoded)
    strict = list(dict.fromkeys(_strict_errors(value, type_name, "")))[:STRICT_ERROR_LIMIT]
    if (strict or keys) and field_validation == "Strict":
        every = [repeated_keys.told(keys), *strict] if keys else strict
        raise CannotBeHandled(kind, api_version, kind, "strict decoding error: " + ", ".join(every))
    return Decoded(decoded, (*keys, *strict))


def _parsed(body: bytes, kind: str, media_type: str) -> tuple[Any, bool]:
    """The value of a body, and whether a key stands twice in an object of it."""
    try:
        return parse_body(body, media_type)
    except Undecodable as error:
        raise CannotBeHandled(error.kind, error.api_version, kind, str(error)) from error
    except Unreadable as error:
        raise Unrecognized(kind, str(error), body) from error


def _what_counts(error: Exception, value: Any, type_name: str) -> str:
    """The message for a body that does not fit: what comes first in it is not always what Go says."""
    try:
        refuse_unmarshalled(value, type_name)
    except (Mismatch, Malformed) as stronger:
        return str(stronger)
    return str(error)


def normal_form(value: dict[str, Any], type_name: str) -> dict[str, Any]:
    """A parsed value of a type in normal form; for what was decoded before, such as the result of a patch.

    Raises ``ValueError`` with the decoder's message when the value does not fit the type.
    """
    decoded: dict[str, Any] = reader_of(type_name)(value, [])
    return decoded


# ---------------------------------------------------------------- the kind of a body


def _kind_of(value: Any, kind: str, api_version: str, body: Any) -> tuple[str, str]:
    """The apiVersion and kind that the body claims; what it leaves out is that of the resource."""
    found = []
    if not isinstance(value, dict):
        go_type = (
            'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
        _unrecognized(kind, f"json: cannot unmarshal {word_for(value)} into Go value of type {go_type}", body)
    for name in ("apiVersion", "kind"):
        spelt = [one for key, one in value.items() if key.lower() == name.lower() and one is not None]
        for given in spelt:
            if not isinstance(given, str):
                _unrecognized(
                    kind, f"json: cannot unmarshal {word_for(given)} into Go struct field .{name} of type string", body
                )
        found.append(spelt[-1] if spelt else "")
    given_version, given_kind = found
    if given_version.count("/") > 1:
        raise Unrecognized(kind, f"unexpected GroupVersion string: {given_version}", body)
    given_version = given_version.removeprefix("/")
    group, _, version = given_version.rpartition("/")
    if not version and group in ("", api_version.rpartition("/")[0]):
        given_version = api_version
    elif not version:
        text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else json.dumps(body)
        why = f"Object 'apiVersion' is missing in '{text}'"
        raise CannotBeHandled(given_kind or kind, "", kind, why)
    return given_version, given_kind or kind


def _unrecognized(kind: str, why: str, body: Any) -> NoReturn:
    raise Unrecognized(kind, f"couldn't get version/kind; json parse error: {why}", body)


def _refuse_kind(given_version: str, given_kind: str, kind: str, api_version: str) -> NoReturn:
    """The body is an object of some other kind, known or not."""
    type_name = "meta/v1." + given_kind if given_kind in UNVERSIONED else types.type_name(given_version, given_kind)
    if given_kind == kind and (type_name or given_version in FORMER_VERSIONS.get(kind, ())):
        raise BadRequest(
            f"the API version in the data ({given_version}) does not match the expected API version ({api_version})"
        )
    if type_name is None:
        scheme = "pkg/api/legacyscheme/scheme.go:30"
        why = f'no kind "{given_kind}" is registered for version "{given_version}" in scheme "{scheme}"'
    else:
        room = (api_version.rpartition("/")[0] or "core").partition(".")[0]
        why = f"converting ({shown_type(type_name)}) to ({room}.{kind}): unknown conversion"
    raise CannotBeHandled(given_kind, given_version, kind, why)


def _summary(body: Any) -> str:
    """The beginning of a body, for an error message."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if not data:
        return "<empty>"
    start = data[:30]
    text = start.decode("utf-8", errors="replace") if data[:1] == b"{" else start.hex()
    return text + " ..." if len(data) > 30 else text


# ---------------------------------------------------------------- strictness


def _strict_errors(value: Any, go_type: str, path: str) -> Iterator[str]:
    """Every unknown field and every field given twice, in the order of the body."""
    name = go_type.lstrip("*")
    if value is None or name in OWN_READERS:
        return
    plain = types.underlying(name)
    if plain.startswith("[]") and isinstance(value, list):
        for position, one in enumerate(value):
            yield from _strict_errors(one, plain[2:], f"{path}[{position}]")
    elif isinstance(value, dict):
        members = None if plain.startswith("map[") else struct_of(name).members
        seen: set[str] = set()
        for key, one in value.pairs if isinstance(value, Repeated) else value.items():
            place = f"{path}.{key}" if path else key
            if members is not None and key not in members:
                yield f"unknown field {quoted(place)}"
                continue
            if key in seen:
                yield f"duplicate field {quoted(place)}"
            seen.add(key)
            yield from _strict_errors(one, members[key].go_type if members else plain.partition("]")[2], place)
