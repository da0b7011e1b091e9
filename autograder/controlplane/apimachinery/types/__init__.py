"""The Go types of the API, as tables: which fields a struct has, in which order, of which type.

The tables (``<group>.<version>.json``) are written by ``tools/generate_types.py`` and read here, one file when a type
of it is first asked for. A type is named by package and Go name: ``core/v1.Pod``, ``meta/v1.ObjectMeta``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
#: API group -> the folder of its packages in k8s.io/api.
_FOLDERS = {
    "": "core",
    "rbac.authorization.k8s.io": "rbac",
    **{group: group for group in ("apps", "autoscaling", "batch", "policy")},
    **{
        f"{group}.k8s.io": group
        for group in (
            "admissionregistration", "authentication", "authorization", "certificates", "coordination", "discovery",
            "events", "meta", "networking", "node", "scheduling", "storage",
        )
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct; for an embedded struct ``json_name`` is empty and ``option`` its Go name.

    ``option`` is otherwise ``omitempty``, ``omitzero`` or empty, as in the Go tag. ``patch_strategy`` and ``merge_key``
    say how strategic merge patches treat the field; empty means that a list is replaced and a map merged.
    ``ownership`` says how server-side apply owns it: ``atomic``, ``set``, ``map:KEY,...``; empty leaves it to the type
    (structs and maps by their parts, lists as a whole).
    """

    json_name: str
    go_type: str
    option: str
    patch_strategy: str = ""
    merge_key: str = ""
    ownership: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """The types of one group and version."""

    structs: dict[str, list[list[str]]]
    named: dict[str, str]
    atomic: frozenset[str]


def type_name(api_version: str, kind: str) -> str | None:
    """The type of objects of a kind: ``apps/v1``, ``Deployment`` is ``apps/v1.Deployment``; None if there is none."""
    group, _, version = api_version.rpartition("/")
    package = f"{_FOLDERS.get(group, '')}/{version}"
    return f"{package}.{kind}" if package in _packages() and kind in _package(package).structs else None


@cache
def struct(name: str) -> tuple[Field, ...] | None:
    """The fields of a struct type, in order; None when the type is not a struct."""
    package, _, short = name.rpartition(".")
    fields = _package(package).structs.get(short) if "/" in package else None
    return None if fields is None else tuple(Field(*field) for field in fields)


@cache
def is_atomic(name: str) -> bool:
    """Whether server-side apply owns a struct type as a whole."""
    package, _, short = name.rpartition(".")
    return "/" in name and not name.startswith(("[]", "map[", "*")) and short in _package(package).atomic


@cache
def underlying(name: str) -> str:
    """What a named type such as ``core/v1.ResourceList`` stands for; other types stand for themselves."""
    package, _, short = name.rpartition(".")
    if "/" not in name or name.startswith(("[]", "map[")):
        return name
    target = _package(package).named.get(short)
    return underlying(target) if target else name


@cache
def _packages() -> frozenset[str]:
    """The packages of which there are tables."""
    return frozenset(file.stem.replace(".", "/") for file in _FOLDER.glob("*.*.json"))


@cache
def _package(package: str) -> Package:
    file = _FOLDER / f"{package.replace('/', '.')}.json"
    table = json.loads(file.read_text(encoding="utf-8"))
    return Package(table["structs"], table["named"], frozenset(table["atomic"]))
