"""What of an applied configuration its type does not know: unknown fields, values of other types, entries named twice.

Server-side apply reads a configuration by the schema of the kind before it merges anything, and refuses it as a whole
with the paths of all that does not fit. Source: structured-merge-diff, typed/validate.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery import types
from autograder.controlplane.kube_apiserver.fieldmanager.paths import (
    LEAF,
    Shape,
    entry_step,
    field_of,
    shape_of,
    shown,
)

#: Types that are written as any scalar.
_ANY_SCALAR: Final = frozenset({"resource.Quantity", "intstr.IntOrString", "meta/v1.Time", "meta/v1.MicroTime"})
#: Types that take whatever is written.
_ANYTHING: Final = frozenset({"meta/v1.FieldsV1", "runtime.RawExtension"})
_TEXTS: Final = frozenset({"string", "[]byte", "types.UID", "meta/v1.Duration"})

#: A path as it is printed, and what is wrong there.
Problem = tuple[str, str]


def refusal(config: Any, type_name: str) -> str:
    """What is said of a configuration that does not fit its type; empty if it does."""
    lines = [f"{path}: {what}" if path else what for path, what in _struct(config, type_name, "")]
    if len(lines) < 2:
        return "".join(lines)
    return "\n  ".join(["errors:", *lines])


def _value(value: Any, go_type: str, shape: Shape, path: str) -> Iterator[Problem]:
    """A value of a Go type; ``shape`` says by what the entries of a list are told apart."""
    bare = go_type.lstrip("*")
    if value is None or bare in _ANYTHING:
        return
    target = types.underlying(bare)
    if bare in _ANY_SCALAR:
        if isinstance(value, (dict, list)):
            yield path, f"expected any scalar, got &{{{_plain(value)}}}"
    elif target in _TEXTS:
        if not isinstance(value, str):
            yield path, f"expected string, got &value.valueUnstructured{{Value:{_syntax(value)}}}"
    elif target == "bool":
        if not isinstance(value, bool):
            yield path, f"expected boolean, got &{{{_plain(value)}}}"
    elif target.startswith("[]"):
        yield from _list(value, target[2:], shape, path)
    elif target.startswith("map["):
        yield from _map(value, target[target.index("]") + 1 :], path)
    elif types.struct(bare) is not None:
        yield from _struct(value, bare, path)
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        yield path, f"expected numeric (int or float), got {_type(value)}"


def _struct(value: Any, type_name: str, path: str) -> Iterator[Problem]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield path, f"expected map, got &{{{_plain(value)}}}"
        return
    for name, part in value.items():
        field = field_of(type_name, name)
        if field is None:
            yield f"{path}.{name}", "field not declared in schema"
            return  # the first such field of a struct ends the search in it
        yield from _value(part, field.go_type, shape_of(type_name, name), f"{path}.{name}")


def _map(value: Any, element: str, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield path, f"expected map, got &{{{_plain(value)}}}"
        return
    for name, part in value.items():
        yield from _value(part, element, LEAF, f"{path}.{name}")


def _list(value: Any, element: str, shape: Shape, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield path, f"expected list, got &{{{_plain(value)}}}"
        return
    seen = set()
    for position, entry in enumerate(value):
        step = f"[{position}]"
        if shape.kind in ("list", "set"):
            if nameless := _nameless(entry, shape):
                yield path, f"element {position}: {nameless}"
                return
            key = entry_step(shape, entry)
            step = shown((key,))
            if key in seen:
                yield path, f"duplicate entries for key {step}"
            seen.add(key)
        yield from _value(entry, element, LEAF, path + step)


def _nameless(entry: Any, shape: Shape) -> str:
    """Why an entry cannot be told apart from others; empty if it can."""
    if shape.kind == "set":
        if entry is None:
            return "associative list without keys has an element that's an explicit null"
        if isinstance(entry, dict):
            return "associative list without keys has an element that's a map type"
        return "not supported: associative list with lists as elements" if isinstance(entry, list) else ""
    if entry is None:
        return "associative list with keys may not have a null element"
    if not isinstance(entry, dict):
        return "associative list with keys may not have non-map elements"
    if entry_step(shape, entry) == entry_step(shape, None):
        keys = " ".join(json.dumps(key) for key in shape.keys)
        return (
            f"associative list with keys has an element that omits all key fields [{keys}] (and doesn't have default "
            "values for any key fields)"
        )
    return ""


# ---------------------------------------------------------------- as Go prints values


def _type(value: Any) -> str:
    """The type of a value (``%T``)."""
    names = {bool: "bool", str: "string", dict: "map[string]interface {}", list: "[]interface {}"}
    return names[type(value)]


def _plain(value: Any) -> str:
    """A value in plain words (``%v``)."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_plain(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(_plain, value)) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _syntax(value: Any) -> str:
    """A value as it would stand in a program (``%#v``)."""
    if isinstance(value, dict):
        parts = ", ".join(f"{json.dumps(key)}:{_syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{parts}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_syntax, value))}}}"
    if value is None:
        return "interface {}(nil)"
    return json.dumps(value, ensure_ascii=False)
