"""The bodies of requests that are not simply an object: patches, applied configurations, options.

Each function raises ``BadRequest`` for bytes that say nothing of the kind.
"""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery.errors import BadRequest, UnsupportedMediaType
from autograder.controlplane.apimachinery.wire import Object, Request
from autograder.controlplane.kube_apiserver import decoding, repeated_keys

#: What bodies can be read as.
TYPES: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
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
    if not isinstance(config, dict) or not isinstance(config.get("metadata", {}), dict):
        raise BadRequest("error decoding YAML: the applied configuration is not an object")
    return config


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


def delete_options(request: Request) -> Object:
    """The DeleteOptions in the body of a request; none is an empty one."""
    if not request.body:
        return {}
    if isinstance(request.body, dict):
        return request.body
    try:
        body = decoding.parse(request.body, request.headers.get("content-type", "application/json"))
    except ValueError as error:
        raise BadRequest(f"couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(body, dict):
        raise BadRequest("expected DeleteOptions in the body of the request")
    return body
