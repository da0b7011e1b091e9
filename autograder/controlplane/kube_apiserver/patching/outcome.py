"""Reads what a patch has made as an object of its kind, or says in a real server's words why it is none.

A strategic merge patch is converted straight into the Go type, the other two by way of JSON, and the words differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from autograder.controlplane.apimachinery import types
from autograder.controlplane.apimachinery.errors import Invalid
from autograder.controlplane.apimachinery.field import Path, invalid, quoted
from autograder.controlplane.kube_apiserver.decoding import (
    CannotBeHandled,
    Decoded,
    FieldValidation,
    Unrecognized,
    decode,
)
from autograder.controlplane.kube_apiserver.parsing import Repeated
from autograder.controlplane.kube_apiserver.reading import struct_of
from autograder.controlplane.kube_apiserver.reading.mismatches import Malformed, Mismatch, shown_type
from autograder.controlplane.kube_apiserver.reading.scalars import OWN_READERS

_OPERATION: Final = ("op", "path", "from", "value")


@dataclass(frozen=True, slots=True)
class Target:
    """What the outcome has to be: a Go type (``apps/v1.Deployment``) and the kind and apiVersion that it goes by."""

    go_type: str
    kind: str
    api_version: str


def read_json(patched: Any, patch: Any, target: Target, validation: FieldValidation) -> Decoded:
    """The outcome of a JSON patch or merge patch; ``Invalid`` quotes the whole outcome."""
    return _read(patched, patch, target, validation, json.dumps(patched, separators=(",", ":"), ensure_ascii=False))


def read_converted(patched: Any, patch: Any, target: Target, validation: FieldValidation) -> Decoded:
    """The outcome of a strategic merge patch; ``Invalid`` quotes the patch as Go prints a map."""
    patched = {**patched, "kind": target.kind, "apiVersion": target.api_version}
    shown = go_text(patch)
    why = unconvertible(patched, target.go_type)
    if why:
        raise _no_object(shown, why)
    return _read(patched, patch, target, validation, shown, is_sorted=True)


def _read(
    patched: Any, patch: Any, target: Target, validation: FieldValidation, shown: str, *, is_sorted: bool = False
) -> Decoded:
    """``is_sorted`` says that unknown fields are told in the order of their names, and not in that of the document."""
    strict = [] if validation == "Ignore" else list(_strict_errors(patch))
    try:
        decoded = decode(
            patched, target.go_type, kind=target.kind, api_version=target.api_version,
            field_validation="Ignore" if validation == "Ignore" else "Warn",
        )  # fmt: skip
    except (CannotBeHandled, Unrecognized) as error:
        raise _no_object(shown, error.why) from error
    strict += sorted(decoded.warnings) if is_sorted else decoded.warnings
    if strict and validation == "Strict":
        raise _no_object(shown, "strict decoding error: " + ", ".join(strict))
    return Decoded(decoded.object, tuple(strict))


def _no_object(shown: str, why: str) -> Invalid:
    return Invalid.on("", "", "", [invalid(Path("patch"), shown, why)])


def _strict_errors(patch: Any) -> Iterator[str]:
    """What strictness finds in the patch itself: keys given twice, and unknown keys of JSON patch operations."""
    if not isinstance(patch, list):
        yield from _repeated(patch, "")
        return
    for position, operation in enumerate(patch):
        for key in operation:
            if key not in _OPERATION:
                yield f"json patch unknown field {quoted(f'[{position}].{key}')}"


def _repeated(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for position, one in enumerate(value):
            yield from _repeated(one, f"{path}[{position}]")
    elif isinstance(value, dict):
        seen: set[str] = set()
        for key, one in value.pairs if isinstance(value, Repeated) else value.items():
            place = f"{path}.{key}" if path else key
            if key in seen:
                yield f"duplicate field {quoted(place)}"
            seen.add(key)
            yield from _repeated(one, place)


# ---------------------------------------------------------------- conversion of a map into a Go type

_KINDS: Final = {str: "string", bool: "bool", int: "int64", list: "slice"}
_INTEGERS: Final = ("int", "int32", "int64", "uint8", "uint32", "uint64")
_BASIC: Final = {name: name for name in ("string", "bool", "float64", *_INTEGERS)} | {"types.UID": "string"}


def unconvertible(value: Any, go_type: str) -> str:
    """Why a parsed value does not convert into a Go type, in the words of Kubernetes' converter; "" if it does."""
    if value is None:
        return ""
    name = go_type.lstrip("*")
    if name in OWN_READERS:
        return _unreadable(value, name)
    plain = types.underlying(name)
    found = kind_of(value)
    if plain in _BASIC:
        return _unassignable(value, found, name, _BASIC[plain])
    if plain == "[]byte":
        return "" if found == "string" else f"cannot restore slice from {found}"
    if plain.startswith("[]"):
        if found != "slice":
            return f"cannot restore slice from {found}"
        return _first(unconvertible(one, plain[2:]) for one in value)
    if plain.startswith("map["):
        if found != "map":
            return f"cannot restore map from {found}"
        return _first(unconvertible(one, plain.partition("]")[2]) for one in value.values())
    if found != "map":
        return f"cannot restore struct from: {found}"
    members = struct_of(name).members.items()
    return _first(unconvertible(value.get(key), member.go_type) for key, member in members)


def _unassignable(value: Any, found: str, name: str, wanted: str) -> str:
    """Why a value does not go into a basic type; Go's rules of conversion, and the words that follow from them."""
    if found == wanted or (found == "int64" and wanted in _INTEGERS):
        return ""
    if found == "float64" and wanted in _INTEGERS:
        return "" if value.is_integer() else f"cannot convert float64 to {shown_type(name)}"
    if found == "int64" and wanted == "string":
        return f"cannot convert int64 to {shown_type(name)}"
    return f"unrecognized type: {wanted}"


def _unreadable(value: Any, name: str) -> str:
    try:
        OWN_READERS[name](value, [])
    except (Mismatch, Malformed) as error:
        return str(error)
    return ""


def _first(reasons: Iterator[str]) -> str:
    return next((why for why in reasons if why), "")


def kind_of(value: Any) -> str:
    """What Go calls the kind of a parsed value."""
    if isinstance(value, float):
        return "float64"
    return "map" if isinstance(value, dict) else _KINDS[type(value)]


def go_text(value: Any) -> str:
    """A parsed value as Go's ``%+v`` prints it: ``map[spec:map[replicas:3]]``."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(one)}' for key, one in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
