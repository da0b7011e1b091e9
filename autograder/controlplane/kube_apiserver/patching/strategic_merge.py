"""Strategic merge patch: a merge patch that knows which lists are keyed, driven by the patch tags of the Go types.

Directives (``$patch``, ``$retainKeys``, ``$setElementOrder/<list>``, ``$deleteFromPrimitiveList/<list>``) mean what
apimachinery/pkg/util/strategicpatch says they mean.
"""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery import types
from autograder.controlplane.apimachinery.errors import Unclassified
from autograder.controlplane.apimachinery.types import Field
from autograder.controlplane.kube_apiserver.patching.outcome import go_text

_PATCH: Final = "$patch"
_RETAIN: Final = "$retainKeys"
_ORDER: Final = "$setElementOrder/"
_DELETE: Final = "$deleteFromPrimitiveList/"


def apply_strategic_merge_patch(document: Any, patch: dict[str, Any], type_name: str) -> Any:
    """The document of a Go type with the patch applied; ``Unclassified`` for a patch that makes no sense."""
    return _merge_map(document, patch, type_name)


def _merge_map(document: Any, patch: dict[str, Any], type_name: str) -> dict[str, Any]:
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {key: _without_directives(value) for key, value in patch.items() if key != _PATCH}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise _unknown(directive, patch)
    result = dict(document) if isinstance(document, dict) else {}
    retained = patch.get(_RETAIN)
    if retained is not None:
        result = {key: value for key, value in result.items() if key in retained}
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
            continue
        field = _field(type_name, key)
        order = patch.get(_ORDER + key)
        result[key] = _merge_value(result.get(key), value, field, order, patch.get(_DELETE + key))
    for key, removed in patch.items():
        name = key.removeprefix(_DELETE)
        if key.startswith(_DELETE) and name not in patch and isinstance(result.get(name), list):
            result[name] = [one for one in result[name] if one not in removed]
    for key, order in patch.items():
        name = key.removeprefix(_ORDER)
        if key.startswith(_ORDER) and name not in patch and isinstance(result.get(name), list):
            result[name] = _ordered(result[name], order, result[name], _field(type_name, name).merge_key)
    return result


def _merge_value(current: Any, value: Any, field: Field, order: Any, removed: Any) -> Any:
    strategies = field.patch_strategy.split(",")
    if isinstance(value, dict):
        if "replace" in strategies:
            return _without_directives(value)
        return _merge_map(current, value, _element(field.go_type))
    if not isinstance(value, list):
        return value
    if "merge" not in strategies:
        return [_without_directives(one) for one in value if one != {_PATCH: "replace"}]
    current = current if isinstance(current, list) else []
    if field.merge_key:
        merged = _merge_keyed(current, value, field.merge_key, _element(field.go_type))
        given = [one for one in value if _PATCH not in one]
        return _ordered(merged, given if order is None else order, current, field.merge_key)
    kept = [one for one in current if one not in (removed or ())]
    return kept + [one for one in value if one not in kept]


def _merge_keyed(current: list[Any], patch: list[Any], key: str, type_name: str) -> list[Any]:
    """Entries of the patch change those of the same key, in place, or are added at the end."""
    if {_PATCH: "replace"} in patch:
        return [_without_directives(one) for one in patch if one != {_PATCH: "replace"}]
    result = list(current)
    for entry in patch:
        if not isinstance(entry, dict) or (key not in entry and _PATCH not in entry):
            raise Unclassified(f"map: {go_text(entry)} does not contain declared merge key: {key}")
        at = next((index for index, one in enumerate(result) if one.get(key) == entry.get(key)), None)
        directive = entry.get(_PATCH)
        if directive not in (None, "merge", "delete", "replace"):
            raise _unknown(directive, entry)
        if directive == "delete":
            result = [one for one in result if one.get(key) != entry.get(key)]
        elif at is None:
            result.append(_merge_map({}, {k: v for k, v in entry.items() if k != _PATCH}, type_name))
        else:
            result[at] = _merge_map(result[at], entry, type_name)
    return result


def _unknown(directive: Any, entry: Any) -> Unclassified:
    return Unclassified(f"unknown patch type: {directive} in map: {go_text(entry)}")


def _ordered(entries: list[Any], order: list[Any], server: list[Any], key: str) -> list[Any]:
    """The entries in the order that the patch gives; those it does not name go in where the server had them.

    An entry that only the patch has comes before one that only the server has.
    """

    def key_of(entry: Any) -> Any:
        return entry.get(key) if key and isinstance(entry, dict) else entry

    wanted = [key_of(one) for one in order]
    had = [key_of(one) for one in server]
    named = sorted((one for one in entries if key_of(one) in wanted), key=lambda one: wanted.index(key_of(one)))
    others = [one for one in entries if key_of(one) not in wanted]
    result = []
    while named and others:
        ours, theirs = key_of(named[0]), key_of(others[0])
        is_earlier = ours in had and theirs in had and had.index(theirs) < had.index(ours)
        result.append((others if is_earlier else named).pop(0))
    return result + named + others


def _without_directives(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_directives(one) for key, one in value.items() if not key.startswith("$") and one is not None
        }
    if isinstance(value, list):
        return [_without_directives(one) for one in value]
    return value


_UNKNOWN: Final = Field("", "", "")


def _field(type_name: str, name: str) -> Field:
    """The field of a struct by its JSON name, embedded structs included; one without tags when there is none."""
    for field in (types.struct(type_name) if type_name else None) or ():
        if field.json_name == name:
            return field
        if not field.json_name:
            found = _field(field.go_type.lstrip("*"), name)
            if found is not _UNKNOWN:
                return found
    return _UNKNOWN


def _element(go_type: str) -> str:
    """The struct behind a field: of ``[]core/v1.Container`` and ``*core/v1.Container`` it is ``core/v1.Container``."""
    bare = types.underlying(go_type.lstrip("*"))
    if bare.startswith("map["):
        return ""
    return bare.removeprefix("[]").lstrip("*")
