"""Kinds by their names: which resource of the API ``Pod`` or ``ResourceQuota`` stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.controlplane.apimachinery.scheme import BY_KIND, RESOURCES, ResourceType

_BY_NAME: dict[str, ResourceType] = {row.kind: row for row in reversed(RESOURCES)}


class UnknownKind(LookupError):
    """No resource of the API has this kind."""


def kind_named(kind: str) -> ResourceType:
    """The resource of a kind; of two of the same name the one in the core group is meant."""
    try:
        return _BY_NAME[kind]
    except KeyError:
        raise UnknownKind(f"no resource of the API has the kind {kind!r}") from None


def kind_of(obj: Mapping[str, Any]) -> ResourceType:
    """The resource that an object belongs to, by its ``apiVersion`` and ``kind``."""
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    try:
        return BY_KIND[str(api_version), str(kind)]
    except KeyError:
        raise UnknownKind(f"no kind {kind!r} in version {api_version!r}") from None
