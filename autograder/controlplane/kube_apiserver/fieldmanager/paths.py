"""The fields of an object as paths, as ``managedFields`` writes them.

A path is a tuple of steps: ``f:spec`` for a field, ``k:{"name":"web"}`` for an entry of a keyed list, ``v:"x"`` for an
entry of a set.  Which fields are owned by their parts and which as a whole is said by the tables of the Go types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from autograder.controlplane.apimachinery import types
from autograder.controlplane.apimachinery.emptied import as_given
from autograder.controlplane.apimachinery.types import Field
from autograder.controlplane.kube_apiserver.parsing import parse

Path = tuple[str, ...]
Paths = frozenset[Path]

#: Stands for the value of a path that has parts of its own.
BRANCH: Final = object()

#: Key fields of lists that the server fills in when they are left out, beside those that must be given.
_KEY_DEFAULTS: Final = {"protocol": "TCP"}
#: The type whose name may be left out and is empty then.
_NAMED_BY_DEFAULT: Final = "core/v1.LocalObjectReference"


@dataclass(frozen=True, slots=True)
class Shape:
    """How one field is owned: as a ``leaf``, or by the parts of a ``struct``, ``map``, keyed ``list`` or ``set``.

    ``element`` is the Go type of the parts; ``keys`` are the key fields of a keyed list.
    """

    kind: str
    element: str = ""
    keys: tuple[str, ...] = ()


LEAF: Final = Shape("leaf")


def shape_of_root(type_name: str) -> Shape:
    """The shape of a whole object."""
    return Shape("struct", type_name)


@cache
def shape_of(type_name: str, name: str) -> Shape:
    """The shape of a field of a struct; a leaf where the type has no such field."""
    field = field_of(type_name, name)
    if field is None or field.ownership == "atomic":
        return LEAF
    bare = field.go_type.lstrip("*")
    target = types.underlying(bare)
    if target.startswith("[]"):
        element = target[2:].lstrip("*")
        if field.ownership.startswith("map:"):
            return Shape("list", element, tuple(field.ownership[4:].split(",")))
        return Shape("set", element) if field.ownership == "set" else LEAF
    if target.startswith("map["):
        return Shape("map", target[target.index("]") + 1 :].lstrip("*"))
    return Shape("struct", bare) if _is_granular(bare) else LEAF


def child_shape(parent: Shape, name: str) -> Shape:
    """The shape of one part of a struct or map."""
    if parent.kind == "struct":
        return shape_of(parent.element, name)
    return Shape("struct", parent.element) if _is_granular(parent.element) else LEAF


def entry_shape(parent: Shape) -> Shape:
    """The shape of an entry of a keyed list."""
    return Shape("struct", parent.element) if _is_granular(parent.element) else LEAF


def entry_step(parent: Shape, entry: Any) -> str:
    """The step to an entry of a keyed list or a set."""
    if parent.kind == "set":
        return "v:" + _compact(entry)
    keys = {key: entry.get(key, _default(parent, key)) for key in parent.keys} if isinstance(entry, dict) else {}
    return "k:" + _compact({key: value for key, value in sorted(keys.items()) if value is not None})


def _default(parent: Shape, key: str) -> Any:
    """What a key field is that an entry of a keyed list leaves out; None for one that may be left out."""
    if key in _KEY_DEFAULTS:
        return _KEY_DEFAULTS[key]
    field = field_of(parent.element, key)
    if field is None or (field.option and parent.element != _NAMED_BY_DEFAULT):
        return None
    return 0 if types.underlying(field.go_type) in ("int32", "int64") else ""


def with_structs(paths: Paths, shape: Shape) -> Paths:
    """The paths, and above each the fields that it lies in: what nobody owns any part of goes with its defaults."""
    found = set(paths)
    for path in paths:
        parent = shape
        for depth, step in enumerate(path, 1):
            if step.startswith("f:"):
                if parent.kind == "struct":
                    found.add(path[:depth])
                parent = child_shape(parent, step[2:])
            else:
                parent = entry_shape(parent)
    return frozenset(found)


def values(obj: Any, shape: Shape, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every path of a value with what stands there; ``BRANCH`` where parts of it follow."""
    if shape.kind in ("struct", "map") and isinstance(obj, dict) and (obj or shape.kind == "struct"):
        if path:
            yield path, BRANCH
        for name, value in obj.items():
            found = as_given(obj, name) if value is None else value  # a list that was given empty is not one left out
            yield from values(found, child_shape(shape, name), (*path, "f:" + name))
    elif shape.kind in ("list", "set") and isinstance(obj, list) and obj:
        yield path, BRANCH
        for entry in obj:
            step = (*path, entry_step(shape, entry))
            if shape.kind == "set":
                yield step, entry
            else:
                yield from values(entry, entry_shape(shape), step)
    else:
        yield path, obj


def changed_paths(before: Mapping[Path, Any], after: Mapping[Path, Any]) -> Iterator[Path]:
    """The paths of ``values`` at which something else stands than before; parts that were there may be other parts."""
    for path, value in after.items():
        if path not in before or (value is not BRANCH and before[path] != value):
            yield path


def applied_paths(obj: Any, shape: Shape, path: Path = ()) -> Iterator[Path]:
    """The paths that an applied configuration owns: its leaves and the entries of its lists."""
    if shape.kind in ("struct", "map") and isinstance(obj, dict) and obj:
        for name, value in obj.items():
            yield from applied_paths(value, child_shape(shape, name), (*path, "f:" + name))
    elif shape.kind in ("list", "set") and isinstance(obj, list):
        for entry in obj:  # and nothing where there is none: such a list is owned by its entries alone
            step = (*path, entry_step(shape, entry))
            yield step
            if shape.kind == "list":
                yield from applied_paths(entry, entry_shape(shape), step)
    else:
        yield path


def to_fields(paths: Paths) -> dict[str, Any]:
    """A set of paths as ``fieldsV1``."""
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    return _pruned(tree)


def from_fields(fields: dict[str, Any]) -> Paths:
    """The set of paths that ``fieldsV1`` writes."""
    return frozenset(_members(fields, ()))


def is_well_formed(fields: Any) -> bool:
    """Whether somebody's ``fieldsV1`` can be read."""
    return isinstance(fields, dict) and all(
        (step == "." or _is_step(step)) and is_well_formed(node) for step, node in fields.items()
    )


def _is_step(step: str) -> bool:
    kind, colon, rest = step.partition(":")
    if kind == "f":
        return bool(colon)
    if kind not in ("k", "v"):
        return False
    try:
        value = parse(rest.encode())
    except ValueError:
        return False
    return kind == "v" or isinstance(value, dict)


def shown(path: Path) -> str:
    """A path as conflicts print it: ``.spec.template.spec.containers[name="nginx"].image``."""
    text = ""
    for step in path:
        kind, _, rest = step.partition(":")
        if kind == "f":
            text += "." + rest
        elif kind == "v":
            text += f"[={rest}]"
        else:
            text += "[" + ",".join(f"{key}={_compact(value)}" for key, value in json.loads(rest).items()) + "]"
    return text


def _pruned(tree: dict[str, Any]) -> dict[str, Any]:
    result = {}
    for step, node in tree.items():
        if step == ".":
            result[step] = node
            continue
        parts = _pruned(node)
        result[step] = {} if parts == {".": {}} else parts
    return result


def _members(fields: dict[str, Any], path: Path) -> Iterator[Path]:
    for step, node in fields.items():
        if step == ".":
            yield path
        elif node:
            yield from _members(node, (*path, step))
        else:
            yield (*path, step)


def _is_granular(type_name: str) -> bool:
    """Whether a type is a struct that is owned field by field."""
    return "/" in type_name and types.struct(type_name) is not None and not types.is_atomic(type_name)


@cache
def _fields_of(type_name: str) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for field in types.struct(type_name) or ():
        if field.json_name:
            found[field.json_name] = field
        else:
            found |= _fields_of(field.go_type.lstrip("*"))
    return found


def field_of(type_name: str, name: str) -> Field | None:
    """The field of a struct, or of what is embedded in it; None if there is none."""
    return _fields_of(type_name).get(name)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
