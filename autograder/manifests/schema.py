"""The schemas of Kubernetes' API, by version of Kubernetes and by group, version and kind.

The data are the published OpenAPI definitions as the package ``kubernetes-validate`` ships them; nothing of its code
is used. A version's definitions are read on first use (1.6 MB of JSON, about 10 ms) and kept.

A schema is a plain dict of JSON schema: ``type``, ``properties``, ``items``, ``additionalProperties``, ``required``,
``$ref``, ``description`` and Kubernetes' ``x-kubernetes-*`` keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

DEFAULT_VERSION: Final = "1.36"
_VERSION: Final = re.compile("v|alpha|beta")
_REF: Final = "#/$defs/"


class GroupVersionKind(NamedTuple):
    """A kind in a version of an API group; the core group is the empty string."""

    group: str
    version: str
    kind: str

    @classmethod
    def of(cls, api_version: str, kind: str) -> GroupVersionKind:
        """``apps/v1``, ``Deployment``."""
        group, _, version = api_version.rpartition("/")
        return cls(group, version, kind)

    @property
    def api_version(self) -> str:
        """As in a manifest: ``apps/v1``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


class UnknownVersion(LookupError):
    """There are no schemas of this version of Kubernetes."""


def available_versions() -> tuple[str, ...]:
    """The versions of Kubernetes there are schemas of, oldest first: ``("1.25", ..., "1.37")``."""
    names = (path.name for path in _folder().glob("v*.0-local"))
    return tuple(sorted((name[1:].removesuffix(".0-local") for name in names), key=_as_numbers))


class Schemas:
    """The definitions of one version of Kubernetes. Use ``Schemas.of``, which reads each version once."""

    def __init__(self, version: str = DEFAULT_VERSION) -> None:
        """``version`` is ``1.36``, ``v1.36`` or ``v1.36.2``; raises ``UnknownVersion``."""
        self.version = _minor(version)
        self._file = _folder() / f"v{self.version}.0-local" / "_definitions.json"
        known = available_versions()
        if self.version not in known:
            raise UnknownVersion(f"no schemas of Kubernetes {version}; there are {known[0]} to {known[-1]}")

    @classmethod
    def of(cls, version: str = DEFAULT_VERSION) -> Schemas:
        """The schemas of this version, shared by all who ask."""
        return _shared(_minor(version))

    @cached_property
    def definitions(self) -> Mapping[str, Schema]:
        """All definitions by name, ``io.k8s.api.core.v1.Pod``."""
        definitions: dict[str, Schema] = json.loads(self._file.read_bytes())["$defs"]
        return definitions

    @cached_property
    def kinds(self) -> Mapping[GroupVersionKind, str]:
        """Every kind, to the name of its definition.

        Kinds that stand in every group (``DeleteOptions``, ``WatchEvent``) are no objects and are left out.
        """
        kinds = {}
        for name, schema in self.definitions.items():
            found = schema.get("x-kubernetes-group-version-kind", ())
            if len(found) == 1:
                kinds[GroupVersionKind(found[0]["group"], found[0]["version"], found[0]["kind"])] = name
        return kinds

    def lookup(self, api_version: str, kind: str) -> str | None:
        """The name of the definition of a kind, or ``None``."""
        return self.kinds.get(GroupVersionKind.of(api_version, kind))

    def api_versions_of(self, kind: str) -> tuple[str, ...]:
        """The apiVersions in which there is this kind: stable ones first, then the newest first."""
        found = [known for known in self.kinds if known.kind == kind]
        found.sort(key=lambda known: [int(part) for part in _VERSION.sub(" ", known.version).split()], reverse=True)
        found.sort(key=lambda known: ("alpha" in known.version, "beta" in known.version))
        return tuple(known.api_version for known in found)

    def resolve(self, schema: Schema) -> tuple[str, Schema]:
        """Follow ``$ref``: the definition's name (empty if there is none) and the schema itself."""
        name = ""
        while "$ref" in schema:
            name = schema["$ref"].removeprefix(_REF)
            schema = self.definitions[name]
        return name, schema

    def field(self, api_version: str, kind: str, path: Iterable[str | int]) -> Schema | None:
        """The schema of a field with its own description, for instance to explain it; ``None`` if there is none.

        ``path`` goes through lists by index and through free-form maps by any key.
        """
        name = self.lookup(api_version, kind)
        if name is None:
            return None
        schema = self.definitions[name]
        for step in path:
            inside = self.inside(schema, step)
            if inside is None:
                return None
            schema = inside
        _, resolved = self.resolve(schema)
        return {**resolved, **{key: value for key, value in schema.items() if key != "$ref"}}

    def inside(self, schema: Schema, step: str | int) -> Schema | None:
        """The schema of an entry of a map or list (``$ref`` not followed), or ``None`` if there cannot be one."""
        _, schema = self.resolve(schema)
        if isinstance(step, int) and "items" in schema:
            items: Schema = schema["items"]
            return items
        if step in schema.get("properties", {}):
            property_: Schema = schema["properties"][step]
            return property_
        values = schema.get("additionalProperties")
        return values if isinstance(values, Mapping) else None


@cache
def _shared(version: str) -> Schemas:
    return Schemas(version)


@cache
def _folder() -> Path:
    """The data folder of the package, found without importing it: its imports take longer than reading the data."""
    spec = find_spec("kubernetes_validate")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package kubernetes-validate, which has the schemas, is not installed")
    return Path(spec.submodule_search_locations[0]) / "kubernetes-json-schema"


def _minor(version: str) -> str:
    return ".".join(version.removeprefix("v").split(".")[:2])


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
