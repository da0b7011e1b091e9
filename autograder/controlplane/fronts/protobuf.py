"""Bodies in protobuf, which kubectl's typed clients send, turned into the JSON that everybody else sends.

An object travels as four magic bytes and an ``Unknown`` message: its kind, and itself as bytes.  Which number a field
has stands in ``protobuf.json``, its type in the table of Go types; both are generated from the declarations of
Kubernetes.  Nothing is answered in protobuf: clients that prefer it take JSON too.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver import types

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
_MAGIC: Final = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_INTEGERS: Final = ("int", "int32", "int64", "uint32", "uint64")
_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: Embedded types that protobuf calls otherwise than Go.
_RENAMED: Final = {("core/v1.Probe", "handler"): "probehandler"}
#: Options of requests belong to the machinery, whatever group they name.
_OPTIONS: Final = ("CreateOptions", "DeleteOptions", "PatchOptions", "UpdateOptions")


class MalformedError(ValueError):
    """Bytes that are no message of the type they should be."""


def decode(body: bytes) -> Object:
    """The object in a body. Raises ``BadRequest`` for anything else than an object of a known kind."""
    if not body.startswith(_MAGIC):
        raise BadRequest("the body of the request is no protobuf of Kubernetes: it does not begin with its magic bytes")
    try:
        envelope = dict(_fields(body[len(_MAGIC) :]))
        type_meta = {number: _text(value) for number, value in _fields(_message(envelope.get(1, b"")))}
        api_version, kind = type_meta.get(1, ""), type_meta.get(2, "")
        go_type = f"meta/v1.{kind}" if kind in _OPTIONS else types.type_name(api_version, kind)
        if go_type is None:
            raise BadRequest(f'no kind "{kind}" is registered for version "{api_version}"')
        return {"apiVersion": api_version, "kind": kind, **_struct(_message(envelope.get(2, b"")), go_type)}
    except MalformedError as error:
        raise BadRequest(f"the body of the request is no protobuf message: {error}") from error


def _struct(data: bytes, go_type: str) -> Object:
    """A message as a JSON object, without the fields that Go leaves out when they are empty.

    No type that is sent contains itself, so that the types bound the depth.
    """
    layout = _layout(go_type)
    found: Object = {}
    for number, value in _fields(data):
        field = layout.get(number)
        if field is None:
            continue
        if not field.json_name:
            found.update(_struct(_message(value), field.go_type.lstrip("*")))
            continue
        declared = field.go_type
        if declared.startswith("[]") and declared != "[]byte":
            found.setdefault(field.json_name, []).extend(_elements(value, declared[2:]))
        elif (resolved := types.underlying(declared.lstrip("*"))).startswith("map["):
            key, element = _entry(_message(value), resolved)
            found.setdefault(field.json_name, {})[key] = element
        else:
            read = _value(value, declared.lstrip("*"))
            if read is None or (not declared.startswith("*") and field.option and read in ("", 0, False)):
                continue
            found[field.json_name] = read
    return found


def _elements(value: int | bytes, go_type: str) -> list[Any]:
    """What one occurrence of a repeated field adds: an element, or several numbers that were packed."""
    if isinstance(value, bytes) and types.underlying(go_type) in (*_INTEGERS, "bool"):
        numbers, position = [], 0
        while position < len(value):
            number, position = _varint(value, position)
            numbers.append(_value(number, go_type))
        return numbers
    return [_value(value, go_type.lstrip("*"))]


def _entry(data: bytes, go_type: str) -> tuple[str, Any]:
    """One entry of a map: a message of a key and a value."""
    element = go_type[go_type.index("]") + 1 :]
    parts = dict(_fields(data))
    value = parts.get(2, 0 if types.underlying(element) in (*_INTEGERS, "bool") else b"")
    return _text(parts.get(1, b"")), _value(value, element)


def _value(value: int | bytes, go_type: str) -> Any:
    """One value of a type; None for a time that is not set."""
    match types.underlying(go_type):
        case "bool":
            return bool(_number(value))
        case "string":
            return _text(value)
        case "[]byte":
            return base64.b64encode(_message(value)).decode()
        case "float64":
            return struct.unpack("<d", _message(value))[0]
        case "resource.Quantity":
            return _text(dict(_fields(_message(value))).get(1, b""))
        case "intstr.IntOrString":
            parts = dict(_fields(_message(value)))
            return _text(parts.get(3, b"")) if parts.get(1) else _signed(_number(parts.get(2, 0)))
        case "meta/v1.Time":
            return _time(_message(value), "%Y-%m-%dT%H:%M:%SZ")
        case "meta/v1.MicroTime":
            return _time(_message(value), "%Y-%m-%dT%H:%M:%S.%fZ")
        case "runtime.RawExtension" | "meta/v1.FieldsV1":
            return _json(dict(_fields(_message(value))).get(1, b""))
        case named if named.startswith("types."):
            return _text(value)
        case plain if plain in _INTEGERS:
            return _signed(_number(value))
        case listed if listed.startswith("[]"):  # a named list is a message of its items
            return [_value(item, listed[2:]) for _, item in _fields(_message(value))]
        case other:
            return _struct(_message(value), other)


def _time(data: bytes, form: str) -> str | None:
    parts = dict(_fields(data))
    if not parts:
        return None
    seconds, nanos = _signed(_number(parts.get(1, 0))), _number(parts.get(2, 0))
    try:
        return (_UNIX_EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)).strftime(form)
    except OverflowError as error:
        raise MalformedError("a time that no calendar has") from error


def _json(data: int | bytes) -> Any:
    text = _text(data)
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"embedded JSON: {error}") from error


# ------------------------------------------------------------ the wire format


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: numbers, and values as numbers or bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, form = tag >> 3, tag & 7
        if form == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if form == _BYTES:
            length, position = _varint(data, position)
        elif form in (_FIXED64, _FIXED32):
            length = 8 if form == _FIXED64 else 4
        else:
            raise MalformedError(f"wire type {form}")
        if position + length > len(data):
            raise MalformedError("unexpected end")
        yield number, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    result = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise MalformedError("unexpected end")
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, position
    raise MalformedError("a number too long")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _number(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise MalformedError("bytes where a number should be")
    return value


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise MalformedError("a number where bytes should be")
    return value


def _text(value: int | bytes) -> str:
    try:
        return _message(value).decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"text that is not UTF-8: {error}") from error


@cache
def _numbers() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return table


@cache
def _layout(go_type: str) -> dict[int, types.Field]:
    """The fields of a type by their numbers; embedded types go by their Go names. Capitals differ here and there."""
    by_name = {(field.json_name or field.option).lower(): field for field in types.struct(go_type) or ()}
    found = {}
    for number, name in _numbers().get(go_type, {}).items():
        field = by_name.get(_RENAMED.get((go_type, name), name.lower()))
        if field is not None:
            found[int(number)] = field
    return found
