"""The rules for ConfigMaps, Secrets and ServiceAccounts (pkg/apis/core/validation)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery.field import FieldError, Path, forbidden, invalid, required, too_long
from autograder.controlplane.kube_apiserver.parsing import parse
from autograder.controlplane.kube_apiserver.reading.mismatches import Mismatch, word_for
from autograder.controlplane.kube_apiserver.unreadable import Broken
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import (
    immutable,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed

MAX_SIZE = 1024 * 1024
#: All of an object, as Kubernetes prints a path without a step.
_WHOLE: Final = Path("[]")
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"
#: The keys that Secrets of a type must have; any of ``kubernetes.io/basic-auth``'s is enough.
KEYS_OF_TYPE = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/basic-auth": ("username", "password"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
REDACTED = "<secret contents redacted>"
JSON_TYPES = ("kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson")


def validate_config_map(config_map: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new ConfigMap."""
    return [
        *validate_metadata(config_map["metadata"], namespaced=True),
        *_validate_config_keys(config_map.get("data", {}), config_map.get("binaryData", {})),
    ]


def validate_config_map_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``."""
    return [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *_validate_immutable(new, old, ("data", "binaryData")),
        *validate_config_map(new),
    ]


def validate_secret(secret: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new Secret."""
    return [*validate_metadata(secret["metadata"], namespaced=True), *_validate_secret_data(secret)]


def validate_secret_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; the type stays."""
    return [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *immutable(new.get("type", ""), old.get("type", ""), Path("type")),
        *_validate_immutable(new, old, ("data",)),
        *validate_secret(new),
    ]


def validate_service_account(account: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new ServiceAccount."""
    return list(validate_metadata(account["metadata"], namespaced=True))


def validate_service_account_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``."""
    return [*validate_metadata_update(new["metadata"], old["metadata"]), *validate_service_account(new)]


def _validate_immutable(new: dict[str, Any], old: dict[str, Any], parts: tuple[str, ...]) -> Iterator[FieldError]:
    if not old.get("immutable"):
        return
    sealed = "field is immutable when `immutable` is set"
    if not new.get("immutable"):
        yield forbidden(Path("immutable"), sealed)
    yield from (forbidden(Path(part), sealed) for part in parts if new.get(part) != old.get(part))


def _validate_config_keys(texts: dict[str, str], binaries: dict[str, str]) -> Iterator[FieldError]:
    for key in sorted(texts):
        yield from malformed(Path("data").key(key), key, names.config_key(key))
        if key in binaries:
            yield invalid(Path("data").key(key), key, "duplicate of key present in binaryData")
    for key in sorted(binaries):
        yield from malformed(Path("binaryData").key(key), key, names.config_key(key))
    if sum(len(text.encode()) for text in texts.values()) + _decoded_size(binaries) > MAX_SIZE:
        yield too_long(_WHOLE, MAX_SIZE)


def _decoded_size(data: dict[str, str]) -> int:
    return sum(len(base64.b64decode(value)) for value in data.values())


def _validate_secret_data(secret: dict[str, Any]) -> Iterator[FieldError]:
    path, data = Path("data"), secret.get("data", {})
    for key in sorted(data):
        yield from malformed(path.key(key), key, names.config_key(key))
    if _decoded_size(data) > MAX_SIZE:
        yield too_long(path, MAX_SIZE)
    kind = secret.get("type", "")
    if kind == "kubernetes.io/service-account-token":
        if not secret.get("metadata", {}).get("annotations", {}).get(SERVICE_ACCOUNT_NAME):
            yield required(Path("metadata").child("annotations").key(SERVICE_ACCOUNT_NAME))
        return
    keys = KEYS_OF_TYPE.get(kind, ())
    present = [key for key in keys if key in data and (data[key] or kind != "kubernetes.io/ssh-auth")]
    if not (kind == "kubernetes.io/basic-auth" and present):
        yield from (required(path.key(key)) for key in keys if key not in present)
    if kind in JSON_TYPES and present:
        yield from _validate_json_object(data[keys[0]], path.key(keys[0]))


def _validate_json_object(encoded: str, path: Path) -> Iterator[FieldError]:
    try:
        document = parse(base64.b64decode(encoded))
    except Broken as error:
        yield invalid(path, REDACTED, error.why)
        return
    if document is not None and not isinstance(document, dict):
        yield invalid(path, REDACTED, str(Mismatch(word_for(document), "map[string]interface {}")))
