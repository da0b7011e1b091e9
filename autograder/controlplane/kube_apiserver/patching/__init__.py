"""Patches: three ways to say what shall change in an object.

Each function gives the changed value and never changes what it is given; unchanged parts are shared with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autograder.controlplane.kube_apiserver.patching.json_patch import apply_json_patch
from autograder.controlplane.kube_apiserver.patching.merge_patch import apply_merge_patch, not_a_map
from autograder.controlplane.kube_apiserver.patching.strategic_merge import apply_strategic_merge_patch


def _merge(document: Any, patch: Any) -> Any:
    """A merge patch of an object, which must be a map."""
    if not isinstance(patch, dict):
        raise not_a_map(patch)
    return apply_merge_patch(document, patch)


#: Media type -> function of (document, patch, Go type name).
PATCHERS: Final[dict[str, Callable[[Any, Any, str], Any]]] = {
    "application/json-patch+json": lambda document, patch, _: apply_json_patch(document, patch),
    "application/merge-patch+json": lambda document, patch, _: _merge(document, patch),
    "application/strategic-merge-patch+json": apply_strategic_merge_patch,
}

APPLY_PATCH: Final = "application/apply-patch+yaml"

__all__ = ["APPLY_PATCH", "PATCHERS", "apply_json_patch", "apply_merge_patch", "apply_strategic_merge_patch"]
