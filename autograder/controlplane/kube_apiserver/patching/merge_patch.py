"""JSON merge patch (RFC 7386): maps are merged, null removes, everything else replaces."""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery.errors import BadRequest

_JSON_NAMES: Final = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}


def apply_merge_patch(document: Any, patch: Any) -> Any:
    """The document with the patch applied."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply_merge_patch(result.get(key), value)
    return result


def not_a_map(patch: Any) -> BadRequest:
    """The refusal of a patch that must be a map and is none."""
    name = _JSON_NAMES.get(type(patch), "null")
    return BadRequest(
        f"error decoding patch: json: cannot unmarshal {name} into Go value of type map[string]interface {{}}"
    )
