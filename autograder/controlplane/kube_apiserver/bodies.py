"""The bodies of requests that are not simply an object: patches, applied configurations, options.

Each function raises ``BadRequest`` for bytes that say nothing of the kind.
"""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery.errors import BadRequest, UnsupportedMediaType
from autograder.controlplane.apimachinery.wire import Object, Request
from autograder.controlplane.kube_apiserver import decoding, repeated_keys
from autograder.controlplane.kube_apiserver.unreadable import Undecodable, Unreadable

#: What bodies can be read as.
TYPES: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_DELETE_OPTIONS: Final = "DeleteOptions"
#: Where a real server looks up the kinds of options.
_OPTIONS_SCHEME: Final = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"
#: What a client may ask to be done about unknown fields.
FIELD_VALIDATIONS: Final = ("", "Ignore", "Strict", "Warn")


def media_type(request: Request) -> str:
    """What the body says that it is; ``UnsupportedMediaType`` for what cannot be read."""
    found, *parameters = request.headers.get("content-type", "").split(";")
    if not parameters[-1:] or not parameters[-1].strip():
        parameters = parameters[:-1]  # one semicolon may stand at the end
    named = found.strip().lower() or TYPES[0]
    if named not in TYPES or any("=" not in one for one in parameters):
        raise UnsupportedMediaType.accepting(TYPES)
    return named


def field_validation(request: Request) -> Any:
    """What is to be done about unknown fields; clients are warned of them unless they ask for something else."""
    return request.param("fieldValidation") or "Warn"


def apply_configuration(body: Any) -> Object:
    """The applied configuration, which may be YAML."""
    try:
        config = decoding.parse(body, "application/yaml") if isinstance(body, bytes) else body
    except ValueError as error:
        raise BadRequest(f"error decoding YAML: error converting YAML to JSON: {error}") from error
    if not isinstance(config, dict):
        raise BadRequest("error decoding YAML: the applied configuration is not an object")
    return {**config, "metadata": {}} if config.get("metadata") is None else config


def repeated_keys_of(request: Request) -> tuple[str, ...]:
    """Warnings of keys that stand twice in an applied configuration; under ``Strict`` they are a ``BadRequest``."""
    validation = field_validation(request)
    if validation == "Ignore" or not isinstance(request.body, bytes):
        return ()
    found = repeated_keys.find(request.body)
    if found and validation == "Strict":
        why = repeated_keys.told(found)
        raise BadRequest(f"error strict decoding YAML: error converting YAML to JSON: {why}")
    return found


def delete_options(request: Request) -> Object | None:
    """The DeleteOptions in the body of a request; None where there is no body, and the parameters count."""
    if not request.body or isinstance(request.body, dict):
        return request.body or None
    try:
        value, _ = decoding.parse_body(request.body, media_type(request))
        kind = value.get("kind") if isinstance(value, dict) else None
        if kind == _DELETE_OPTIONS and str(value.get("apiVersion", "")).count("/") <= 1:
            value = {**value, "apiVersion": "v1"}  # every group and version has them
        elif isinstance(kind, str) and kind not in ("", "Status"):
            version = value.get("apiVersion") or "meta.k8s.io/v1"
            raise BadRequest(f'no kind "{kind}" is registered for version "{version}" in scheme "{_OPTIONS_SCHEME}"')
        decoded = decoding.decode(
            value, "meta/v1.DeleteOptions", kind=_DELETE_OPTIONS, api_version="v1", field_validation="Ignore"
        )
    except (decoding.CannotBeHandled, decoding.Unrecognized) as error:
        raise BadRequest(error.why) from error
    except (Undecodable, Unreadable) as error:
        raise BadRequest(str(error)) from error
    return decoded.object
