"""OpenAPI: what kubectl needs of it to validate, to compute the patches of ``apply``, and to explain fields.

The documents are the real ones without what no client of ours reads: of the operations there is one for each kind
(PATCH, or POST where a kind can only be created), of the schemas those that the kinds of the group use.  They are made
when they are first asked for, and kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from autograder.controlplane.apimachinery import types
from autograder.controlplane.apimachinery.errors import NotAcceptable
from autograder.controlplane.apimachinery.scheme import BY_KIND, SERVED, ResourceType
from autograder.controlplane.apimachinery.wire import Object, Request, Response
from autograder.controlplane.kube_apiserver import openapi_protobuf
from autograder.controlplane.kube_apiserver.conditional import digest, unless_known
from autograder.controlplane.kube_apiserver.schemas import Schema, definitions
from autograder.controlplane.kube_apiserver.version import GIT_VERSION

#: What a real server takes its index for, although it is JSON.
_INDEX_TYPE: Final = "text/plain; charset=utf-8"
V2_PROTOBUF: Final = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
#: What a client calls the form is no media type that could be sent back.
_V2_PROTOBUF_SENT: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

_HERE: Final = Path(__file__).parent
_INFO: Final = {"title": "Kubernetes", "version": GIT_VERSION}
_GVK: Final = "x-kubernetes-group-version-kind"
_PATCH: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
_PATCH_TYPES: Final = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_QUERY: Final = {"dryRun": "string", "fieldManager": "string", "fieldValidation": "string", "force": "boolean"}
_JSON: Final = "application/json"
#: For answers of which clients ask each time whether they are still the same.
_CHECKED: Final = {"cache-control": "no-cache, private"}
#: A year from any day, for answers that never change: their address has the hash of their content.
_FOR_EVER: Final = {"cache-control": "public, immutable, max-age=31536000"}


def answer(request: Request) -> Response | None:
    """A document below ``/openapi``, or None for another path. Raises ``NotAcceptable`` for other forms."""
    path = request.path.rstrip("/")
    if request.method not in ("GET", "HEAD") or not path.startswith("/openapi/"):
        return None
    if path == "/openapi/v2":
        return _v2(request)
    if path == "/openapi/v3":
        return unless_known(request, _index(), _INDEX_TYPE, _CHECKED)
    name = path.removeprefix("/openapi/v3/")
    return _group_version(name, request) if path.startswith("/openapi/v3/") and name in _group_versions() else None


def _group_version(name: str, request: Request) -> Response:
    """One document; an outdated hash in the address leads to the right one."""
    given = request.param("hash")
    if not given:
        return unless_known(request, _document_bytes(name), _JSON, _CHECKED)
    if given != _hash(name):
        return Response(301, b"", headers={"location": _address(name)})
    return unless_known(request, _document_bytes(name), _JSON, _FOR_EVER)


@cache
def _index() -> bytes:
    paths = {name: {"serverRelativeURL": _address(name)} for name in sorted(_group_versions())}
    return _encode({"paths": paths})


def _address(name: str) -> str:
    return f"/openapi/v3/{quote(name)}?hash={_hash(name)}"


def _hash(name: str) -> str:
    return digest(_document_bytes(name))


@cache
def _group_versions() -> dict[str, tuple[ResourceType, ...]]:
    """The kinds of each document, by the document's name: ``api/v1``, ``apis/apps/v1``."""
    return {
        root.strip("/"): tuple(row for row in SERVED if row.root == root)
        for root in dict.fromkeys(row.root for row in SERVED)
    }


@cache
def _document_bytes(name: str) -> bytes:
    rows = _group_versions()[name]
    names = _reachable([_PATCH, *(_definition_name(row) for row in rows)])
    return _encode(
        {
            "openapi": "3.0.0",
            "info": _INFO,
            "paths": {path: item for row in rows for path, item in _paths(row).items()},
            "components": {"schemas": {name: _component(name) for name in sorted(names)}},
        }
    )


def _paths(row: ResourceType) -> dict[str, Object]:
    """The paths of one kind with the operations that are kept."""
    namespace = "{namespace}" if row.namespaced else ""
    gvk = {"group": row.group, "version": row.version, "kind": row.kind}
    schema = {"$ref": f"#/components/schemas/{_definition_name(row)}"}
    responses = {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}
    common: Object = {"responses": responses, _GVK: gvk}
    if "patch" not in row.verbs:
        body = {"content": {"*/*": {"schema": schema}}, "required": True}
        post = {"x-kubernetes-action": "post", "parameters": _parameters(), "requestBody": body, **common}
        return {row.path(namespace): {"post": post}}
    patch = {"$ref": f"#/components/schemas/{_PATCH}"}
    body = {"content": {kind: {"schema": patch} for kind in _PATCH_TYPES}, "required": True}
    operation = {"x-kubernetes-action": "patch", "parameters": _parameters(), "requestBody": body, **common}
    return {row.path(namespace, "{name}"): {"patch": operation}}


def _parameters() -> list[Object]:
    return [{"name": name, "in": "query", "schema": {"type": kind}} for name, kind in _QUERY.items()]


@cache
def _definition_names() -> dict[tuple[str, str], str]:
    """The name of the definition of each kind that is served."""
    return {
        key: name
        for name, schema in definitions().items()
        for entry in schema.get(_GVK, ())
        if (key := (f"{entry['group']}/{entry['version']}".lstrip("/"), entry["kind"])) in BY_KIND
    }


def _definition_name(row: ResourceType) -> str:
    return _definition_names()[row.api_version, row.kind]


def _reachable(names: list[str]) -> set[str]:
    """The definitions named and all that these refer to."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names.extend(_references(definitions()[name]))
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _component(name: str, prefix: str = "#/components/schemas/") -> Schema:
    """A definition as OpenAPI writes it, with what the package leaves out."""
    schema = converted(definitions()[name], prefix=prefix)
    if name in _descriptions():
        schema = {"description": _descriptions()[name], **schema}
    for field, values in _enumerated(_go_type(name)):
        found = schema["properties"][field]
        if "items" in found:
            found["items"]["enum"] = list(values)
            continue
        text = "\n".join(f' - `"{value}"` {meaning}'.rstrip() for value, meaning in values.items())
        found["description"] = f"{found.get('description', '')}\n\nPossible enum values:\n{text}".lstrip()
        found["enum"] = list(values)
    return schema


def _go_type(name: str) -> str:
    """``io.k8s.api.core.v1.Pod`` is ``core/v1.Pod``; empty for what is no type of a group."""
    parts = name.removeprefix("io.k8s.api.").removeprefix("io.k8s.apimachinery.pkg.apis.").split(".")
    return f"{parts[0]}/{parts[1]}.{parts[2]}" if len(parts) == 3 else ""


def _enumerated(go_type: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The fields of a type, and of what is embedded in it, that have a closed set of values."""
    for field in types.struct(go_type) or () if go_type else ():
        plain = field.go_type.removeprefix("[]").lstrip("*")
        if not field.json_name:
            yield from _enumerated(plain)
        elif values := _enums().get(plain):
            yield field.json_name, values


@cache
def _enums() -> dict[str, dict[str, str]]:
    """The values of enumerated types, each with its description."""
    table: dict[str, dict[str, str]] = json.loads(_HERE.joinpath("enums.json").read_text(encoding="utf-8"))
    return table


@cache
def _descriptions() -> dict[str, str]:
    """The descriptions that the package leaves out, of types that are a plain value."""
    table: dict[str, str] = json.loads(_HERE.joinpath("descriptions.json").read_text(encoding="utf-8"))
    return table


def converted(schema: Schema, *, prefix: str = "#/components/schemas/") -> Schema:
    """A schema of the package as OpenAPI writes it: without ``null`` as a type, and references apart from the rest."""
    result: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            result[key] = {name: converted(inner, prefix=prefix) for name, inner in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            result[key] = converted(value, prefix=prefix)
        elif key in ("oneOf", "anyOf", "allOf"):
            result[key] = [converted(inner, prefix=prefix) for inner in value]
        elif key == "type":
            result[key] = value if isinstance(value, str) else next(name for name in value if name != "null")
        elif key == "enum" and len(value) == 1:
            continue  # the package's own: apiVersion and kind of the object
        elif key == "$ref":
            reference = {"$ref": prefix + value.rpartition("/")[2]}
            if len(schema) == 1:
                return reference
            result["allOf"] = [reference]
        else:
            result[key] = value
    return result


def _v2(request: Request) -> Response:
    """The older document, which clients of today read about kinds that v3 does not have, and to explain as of old."""
    accept = request.headers.get("accept", "")
    if V2_PROTOBUF in accept:
        return Response(200, _v2_protobuf(), _V2_PROTOBUF_SENT, {**_CHECKED})
    if accept and "json" not in accept and "*/*" not in accept:
        raise NotAcceptable(f"only the following media types are accepted: application/json, {V2_PROTOBUF}")
    return unless_known(request, _v2_bytes(), _JSON, _CHECKED)


@cache
def _v2_definitions() -> dict[str, Schema]:
    names = _reachable([_definition_name(row) for row in SERVED])
    return {name: _component(name, "#/definitions/") for name in sorted(names)}


@cache
def _v2_protobuf() -> bytes:
    return openapi_protobuf.document(_INFO, _v2_definitions())


@cache
def _v2_bytes() -> bytes:
    return _encode({"swagger": "2.0", "info": _INFO, "paths": {}, "definitions": _v2_definitions()})


def _encode(document: Object) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
