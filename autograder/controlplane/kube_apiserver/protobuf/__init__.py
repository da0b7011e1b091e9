"""Bodies in protobuf, which kubectl's typed clients send, turned into the JSON value that everybody else sends.

An object travels as four magic bytes and an ``Unknown`` message: its apiVersion and kind, and itself as bytes. The
messages are those of ``descriptors.binpb``, which ``tools/generate_protobuf.py`` makes of the published declarations of
Kubernetes. What comes out is decoded like any other body from here on, so that errors and normal form agree.

Imported when the first such body comes: loading the library costs more than most requests.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError, Message

from autograder.controlplane.apimachinery import types
from autograder.controlplane.kube_apiserver.unreadable import Undecodable, Unreadable

MAGIC: Final = b"k8s\x00"

_UNKNOWN: Final = "k8s.io.apimachinery.pkg.runtime.Unknown"
_META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1."
_API: Final = "k8s.io.api."
#: Options of requests belong to the machinery, whatever group they name.
_OPTIONS: Final = ("CreateOptions", "DeleteOptions", "PatchOptions", "UpdateOptions")
_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Object = dict[str, Any]
Reader = Callable[[Any], Any]


class _Malformed(ValueError):
    """A value inside of a message that stands for nothing in JSON."""


class _Member(NamedTuple):
    """Where the value of a field goes in JSON (nowhere of its own for an embedded struct), and how it is read."""

    json_name: str
    read: Reader
    repeated: bool
    value_field: FieldDescriptor | None


def parse(body: bytes) -> Object:
    """The JSON value that a body stands for; of a kind that nobody knows, its apiVersion and kind.

    Raises ``Unreadable`` for bytes that are no object, ``Undecodable`` for an object that is not of its own kind.
    """
    if not body:
        raise Unreadable("empty data")
    if not body.startswith(MAGIC):
        expected = " ".join(str(byte) for byte in MAGIC)
        raise Unreadable(f"provided data does not appear to be a protobuf message, expected prefix [{expected}]")
    if len(body) == len(MAGIC):
        raise Unreadable("empty body")
    try:
        envelope: Any = message_class(_UNKNOWN).FromString(body[len(MAGIC) :])
    except DecodeError as error:
        raise Unreadable(f"proto: {error}") from error
    api_version, kind = _text(envelope.typeMeta.apiVersion), _text(envelope.typeMeta.kind)
    if not kind:
        raise Unreadable(f"Object 'Kind' is missing in '{api_version}'")
    typed = {"apiVersion": api_version, "kind": kind}
    name = message_name(api_version, kind)
    if name is None:
        return typed
    try:
        return {**typed, **_struct(message_class(name).FromString(envelope.raw))}
    except (DecodeError, _Malformed) as error:
        raise Undecodable(api_version, kind, f"proto: {error}") from error


def message_name(api_version: str, kind: str) -> str | None:
    """The full name of the message that objects of a kind are; None for a kind that nobody knows."""
    if kind in _OPTIONS:
        return _META + kind
    go_type = types.type_name(api_version, kind)
    name = go_type and _API + go_type.replace("/", ".")
    return name if name and name in _messages() else None


def message_class(name: str) -> type[Message]:
    """The class of a message by its full name, for instance ``k8s.io.api.core.v1.Pod``."""
    return message_factory.GetMessageClass(_messages()[name])


@cache
def _messages() -> dict[str, Descriptor]:
    """All messages by their full names."""
    pool = descriptor_pool.DescriptorPool()
    found = {}
    for file in FileDescriptorSet.FromString(Path(__file__).with_name("descriptors.binpb").read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
        for descriptor in pool.FindFileByName(file.name).message_types_by_name.values():
            found[descriptor.full_name] = descriptor
    return found


# ---------------------------------------------------------------- messages as JSON


def _struct(message: Message) -> Object:
    """A message as a JSON object. Zero values stay; the decoder knows which of them Go leaves out."""
    members = _members(message.DESCRIPTOR)
    found: Object = {}
    for field, value in message.ListFields():
        json_name, read, repeated, value_field = members[field.number]
        if not json_name:
            found.update(read(value))
        elif value_field is not None:
            found[json_name] = {_text(key): read(one) for key, one in value.items()}
        elif repeated:
            found[json_name] = [read(one) for one in value]
        else:
            found[json_name] = read(value)
    return found


@cache
def _members(descriptor: Descriptor) -> dict[int, _Member]:
    """The fields of a message by their numbers. Go's tags say the names in JSON; a struct without one is embedded."""
    go_fields = types.struct(_go_type(descriptor.full_name)) or ()
    names = {field.json_name.lower(): field.json_name for field in go_fields if field.json_name}
    members = {}
    for field in descriptor.fields:
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        value_field = field.message_type.fields_by_name["value"] if is_map else None
        members[field.number] = _Member(
            names.get(field.name.lower(), ""), _reader(value_field or field), field.is_repeated, value_field
        )
    return members


def _go_type(name: str) -> str:
    """The Go type of a message: ``k8s.io.api.core.v1.Pod`` is ``core/v1.Pod``."""
    if name.startswith(_META):
        return "meta/v1." + name.removeprefix(_META)
    return name.removeprefix(_API).replace(".", "/", 1)


def _reader(field: FieldDescriptor) -> Reader:
    """How the values of a field are read."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _base64
    if field.type != FieldDescriptor.TYPE_MESSAGE:
        return _as_is
    descriptor = field.message_type
    own = _OWN_FORMS.get(descriptor.full_name)
    if own is not None:
        return own
    if types.struct(_go_type(descriptor.full_name)) is None and [one.name for one in descriptor.fields] == ["items"]:
        return _items
    return _struct


def _as_is(value: Any) -> Any:
    return value


def _text(value: str | bytes) -> str:
    """Text; what is no UTF-8 comes as bytes, and is written as Go's JSON writes it."""
    return value if isinstance(value, str) else value.decode(errors="replace")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _items(message: Any) -> list[Any]:
    """A named list of Go, which in protobuf must be a message."""
    return [_text(one) for one in message.items]


def _quantity(message: Any) -> str:
    return _text(message.string) or "0"


def _int_or_string(message: Any) -> int | str:
    return _text(message.strVal) if message.type else int(message.intVal)


def _time(message: Any) -> str | None:
    """A moment as JSON has it; None when it is not set."""
    if not message.HasField("seconds"):
        return None
    try:
        moment = _UNIX_EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)
    except OverflowError as error:
        raise _Malformed(f"{message.seconds} seconds are a time that no calendar has") from error
    return moment.strftime(_FORMS[message.DESCRIPTOR.name])


def _raw_json(message: Any) -> Any:
    """What is embedded as JSON text: the data of any kind, the fields that a manager owns."""
    raw: bytes = message.raw if message.DESCRIPTOR.name == "RawExtension" else message.Raw
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError) as error:
        raise _Malformed(f"embedded JSON: {error}") from error


_FORMS: Final = {"Time": "%Y-%m-%dT%H:%M:%SZ", "MicroTime": "%Y-%m-%dT%H:%M:%S.%fZ"}

#: Messages that JSON has in a form of their own.
_OWN_FORMS: Final[dict[str, Reader]] = {
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    _META + "Time": _time,
    _META + "MicroTime": _time,
    _META + "FieldsV1": _raw_json,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": _raw_json,
}
