"""The older OpenAPI document in protobuf, the only form in which kubectl reads it (``explain`` in its older form).

The messages are gnostic's (``openapiv2/OpenAPIv2.proto``); of a schema goes in what says what a field is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from autograder.controlplane.kube_apiserver.schemas import Schema

# Numbers of the fields of each message.
_SWAGGER, _INFO, _DEFINITIONS = 1, 2, 9
_TITLE, _VERSION = 1, 2
_NAME, _VALUE = 1, 2
_REFERENCE, _FORMAT, _DESCRIPTION, _REQUIRED, _MORE, _TYPE, _ITEMS, _PROPERTIES, _EXTENSION = (
    1, 2, 4, 19, 21, 22, 23, 25, 31,
)  # fmt: skip
#: The first and only field of messages that wrap something.
_ONLY: Final = 1
_YAML: Final = 2


def document(info: Mapping[str, str], definitions: Mapping[str, Schema]) -> bytes:
    """The message ``Document`` of some definitions, whose references begin with ``#/definitions/``."""
    told = _text(_TITLE, info["title"]) + _text(_VERSION, info["version"])
    return _text(_SWAGGER, "2.0") + _field(_INFO, told) + _field(_DEFINITIONS, _named_schemas(definitions))


def _named_schemas(schemas: Mapping[str, Schema]) -> bytes:
    return b"".join(
        _field(_ONLY, _text(_NAME, name) + _field(_VALUE, _schema(schema))) for name, schema in schemas.items()
    )


def _schema(schema: Schema) -> bytes:
    described = _text(_DESCRIPTION, schema.get("description", ""))
    reference = next((one["$ref"] for one in (schema, *schema.get("allOf", ())) if "$ref" in one), "")
    if reference:
        return _text(_REFERENCE, reference) + described
    kind = "string" if "oneOf" in schema else schema.get("type", "")
    parts = [described, _text(_FORMAT, schema.get("format", ""))]
    parts += [_text(_REQUIRED, name) for name in schema.get("required", ())]
    if isinstance(schema.get("additionalProperties"), dict):
        parts.append(_field(_MORE, _field(_ONLY, _schema(schema["additionalProperties"]))))
    if kind:
        parts.append(_field(_TYPE, _text(_ONLY, kind)))
    if "items" in schema:
        parts.append(_field(_ITEMS, _field(_ONLY, _schema(schema["items"]))))
    if "properties" in schema:
        parts.append(_field(_PROPERTIES, _named_schemas(schema["properties"])))
    return b"".join((*parts, *_extensions(schema)))


def _extensions(schema: Schema) -> Iterable[bytes]:
    """What Kubernetes adds to OpenAPI; the values are YAML, which JSON is too."""
    for name, value in schema.items():
        if name.startswith("x-"):
            yield _field(_EXTENSION, _text(_NAME, name) + _field(_VALUE, _text(_YAML, _json(value))))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _text(number: int, value: str) -> bytes:
    """A field of text; one that is empty is left out."""
    return _field(number, value.encode()) if value else b""


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
