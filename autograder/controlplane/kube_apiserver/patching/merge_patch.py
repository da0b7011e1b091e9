"""JSON merge patch (RFC 7386): maps are merged, null removes, everything else replaces."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.kube_apiserver.parsing import parse
from autograder.controlplane.kube_apiserver.reading.mismatches import Mismatch, word_for
from autograder.controlplane.kube_apiserver.unreadable import Broken


def decode_merge_patch(body: bytes) -> dict[str, Any]:
    """The patch in a body; ``BadRequest`` for what is no map."""
    try:
        patch = _map_in(body)
    except BadRequest as error:
        raise BadRequest(f"error decoding patch: {error.message}") from error
    if patch is None:
        raise BadRequest("Invalid JSON Patch")
    return patch


def decode_strategic_merge_patch(body: bytes) -> dict[str, Any]:
    """The patch in a body, of which null is an empty one; ``BadRequest`` for what is no map."""
    return _map_in(body) or {}


def _map_in(body: bytes) -> dict[str, Any] | None:
    try:
        patch = parse(body)
    except Broken as error:
        raise BadRequest(error.why) from error
    if patch is not None and not isinstance(patch, dict):
        raise BadRequest(str(Mismatch(word_for(patch), "map[string]interface {}")))
    return patch


def apply_merge_patch(document: Any, patch: Any) -> Any:
    """The document with the patch applied; the keys of every map that the patch reaches into are sorted."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply_merge_patch(result.get(key), value)
    return dict(sorted(result.items()))
