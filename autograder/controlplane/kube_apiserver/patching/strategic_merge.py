"""Strategic merge patch: a merge patch that knows which lists are keyed, driven by the patch tags of the Go types.

Directives (``$patch``, ``$retainKeys``, ``$setElementOrder/<list>``, ``$deleteFromPrimitiveList/<list>``) mean what
apimachinery/pkg/util/strategicpatch says they mean.
"""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery import types
from autograder.controlplane.apimachinery.errors import BadRequest, Unclassified
from autograder.controlplane.apimachinery.types import Field
from autograder.controlplane.kube_apiserver.patching.outcome import go_text, kind_of

_PATCH: Final = "$patch"
_RETAIN: Final = "$retainKeys"
_ORDER: Final = "$setElementOrder/"
_DELETE: Final = "$deleteFromPrimitiveList/"


def apply_strategic_merge_patch(document: Any, patch: dict[str, Any], type_name: str) -> Any:
    """The document of a Go type with the patch applied.

    ``BadRequest`` for a bad list of ``$retainKeys``, ``Unclassified`` for other directives that make no sense.
    """
    return _merge_map(document, patch, type_name)


def _merge_map(document: Any, patch: dict[str, Any], type_name: str) -> dict[str, Any]:
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {key: _without_directives(value) for key, value in patch.items() if key != _PATCH}
    if directive == "delete":
        return {}
    if _PATCH in patch:
        raise _unknown(directive, patch)
    result = dict(document) if isinstance(document, dict) else {}
    if _RETAIN in patch:
        result = _retained(result, patch)
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
            continue
        field = _field(type_name, key)
        removed = _listed(patch.get(_DELETE + key))
        result[key] = _merge_value(result.get(key), value, field, _order(patch, key), removed)
    for name in _named(patch, _DELETE, result):
        removed = _listed(patch[_DELETE + name])
        result[name] = [one for one in result[name] if one not in removed]
    for name in _named(patch, _ORDER, result):
        key = _field(type_name, name).merge_key
        result[name] = _ordered(result[name], _order(patch, name) or [], result[name], key)
    return result


def _retained(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The members of a document that a patch keeps; it has to keep those that it sets."""
    retained = patch[_RETAIN]
    given = [key for key, value in patch.items() if value is not None and not key.startswith("$")]
    if not isinstance(retained, list) or any(key not in retained for key in given):
        raise BadRequest("invalid patch format of retainKeys")
    return {key: value for key, value in document.items() if key in retained}


def _named(patch: dict[str, Any], prefix: str, document: dict[str, Any]) -> list[str]:
    """The lists of a document about which a patch has only a directive."""
    names = [key.removeprefix(prefix) for key in patch if key.startswith(prefix)]
    return [name for name in names if name not in patch and isinstance(document.get(name), list)]


def _listed(removed: Any) -> list[Any]:
    """What a directive removes from a list; one that is no list itself removes nothing."""
    return removed if isinstance(removed, list) else []


def _order(patch: dict[str, Any], name: str) -> list[Any] | None:
    """The order that a patch gives a list, or None."""
    if _ORDER + name not in patch:
        return None
    order = patch[_ORDER + name]
    if not isinstance(order, list):
        raise Unclassified(f"expected a []interface {{}}, but received a {_go_type(order)}")
    return order


def _go_type(value: Any) -> str:
    """What Go prints for the type of a parsed value that is no list."""
    if value is None:
        return "%!s(<nil>)"
    return "map[string]interface {}" if isinstance(value, dict) else kind_of(value)


def _merge_value(current: Any, value: Any, field: Field, order: list[Any] | None, removed: list[Any]) -> Any:
    strategies = field.patch_strategy.split(",")
    if isinstance(value, dict) and "replace" not in strategies:
        return _merge_map(current, value, _element(field.go_type))
    if not isinstance(value, list) or not isinstance(current, list) or "merge" not in strategies:
        return _without_directives(value)
    if order:
        _check_order(value, order, field.merge_key)
    if field.merge_key:
        merged = _merge_keyed(current, value, field.merge_key, _element(field.go_type))
        given = [one for one in value if _PATCH not in one]
        return _ordered(merged, given if order is None else order, current, field.merge_key)
    kept = [one for one in current if one not in removed]
    return _ordered(kept + [one for one in value if one not in kept], value if order is None else order, current, "")


def _check_order(patch: list[Any], order: list[Any], key: str) -> None:
    """Raise ``Unclassified`` unless the entries of a patch stand in the order that it gives them itself."""
    rest = iter(order)
    for entry in patch:
        if isinstance(entry, dict) and entry.get(_PATCH) == "delete":
            continue
        name = _name(entry, key)
        if not any(_name(one, key) == name for one in rest):
            lists = (go_text(patch), "$setElementOrder", go_text(order))
            raise Unclassified("The order in patch list:\n{}\n doesn't match {} list:\n{}\n".format(*lists))


def _name(entry: Any, key: str) -> Any:
    """By what an entry of a list is told from the others: one field, or all of a plain value."""
    return entry.get(key) if key and isinstance(entry, dict) else entry


def _merge_keyed(current: list[Any], patch: list[Any], key: str, type_name: str) -> list[Any]:
    """Entries of the patch change those of the same key, in place, or are added at the end."""
    if not all(isinstance(entry, dict) for entry in patch):
        raise Unclassified(f"list element types are not identical: {go_text([current, patch])}")
    given, special = ([entry for entry in patch if (_PATCH in entry) is is_special] for is_special in (False, True))
    for entry in special:
        _check_directive(entry, key)
    if any(entry[_PATCH] == "replace" for entry in special):
        return [_without_directives(entry) for entry in given]
    deleted = [entry[key] for entry in special]
    result = [one for one in current if one.get(key) not in deleted]
    for entry in given:
        if key not in entry:
            raise _without_key(entry, key)
        at = next((index for index, one in enumerate(result) if one.get(key) == entry[key]), None)
        if at is None:
            result.append(_merge_map({}, entry, type_name))
        else:
            result[at] = _merge_map(result[at], entry, type_name)
    return result


def _check_directive(entry: dict[str, Any], key: str) -> None:
    """Raise ``Unclassified`` unless an entry says which entry goes, or that the list is replaced."""
    directive = entry[_PATCH]
    if directive == "merge":
        raise Unclassified("merging lists cannot yet be specified in the patch")
    if directive not in ("delete", "replace"):
        raise _unknown(directive, entry)
    if directive == "delete" and key not in entry:
        raise _without_key(entry, key)


def _without_key(entry: Any, key: str) -> Unclassified:
    return Unclassified(f"map: {go_text(entry)} does not contain declared merge key: {key}")


def _unknown(directive: Any, entry: Any) -> Unclassified:
    return Unclassified(f"unknown patch type: {directive} in map: {go_text(entry)}")


def _ordered(entries: list[Any], order: list[Any], server: list[Any], key: str) -> list[Any]:
    """The entries in the order that the patch gives; those it does not name go in where the server had them.

    An entry that only the patch has comes before one that only the server has.
    """
    wanted = [_name(one, key) for one in order]
    had = [_name(one, key) for one in server]
    named = sorted((one for one in entries if _name(one, key) in wanted), key=lambda one: wanted.index(_name(one, key)))
    others = [one for one in entries if _name(one, key) not in wanted]
    result = []
    while named and others:
        ours, theirs = _name(named[0], key), _name(others[0], key)
        is_earlier = ours in had and theirs in had and had.index(theirs) < had.index(ours)
        result.append((others if is_earlier else named).pop(0))
    return result + named + others


def _without_directives(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_directives(one) for key, one in value.items() if not key.startswith("$") and one is not None
        }
    if isinstance(value, list):
        return [_without_directives(one) for one in value if not (isinstance(one, dict) and _PATCH in one)]
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
