"""Patches: three ways to say what shall change in an object.

Each gives the changed value and never changes what it is given; unchanged parts are shared with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from autograder.controlplane.kube_apiserver.decoding import Decoded, FieldValidation
from autograder.controlplane.kube_apiserver.patching.json_patch import apply_json_patch, decode_json_patch
from autograder.controlplane.kube_apiserver.patching.merge_patch import (
    apply_merge_patch,
    decode_merge_patch,
    decode_strategic_merge_patch,
)
from autograder.controlplane.kube_apiserver.patching.outcome import Target, read_converted, read_json
from autograder.controlplane.kube_apiserver.patching.strategic_merge import apply_strategic_merge_patch


@dataclass(frozen=True, slots=True)
class PatchType:
    """One way to patch.

    ``decode`` gives the patch that a body holds, ``apply`` the document of a Go type with the patch applied, ``read``
    the object that came of it.  Each raises the ``StatusError`` that a real server answers with.
    """

    decode: Callable[[bytes], Any]
    apply: Callable[[Any, Any, str], Any]
    read: Callable[[Any, Any, Target, FieldValidation], Decoded]


#: By media type.
PATCH_TYPES: Final[dict[str, PatchType]] = {
    "application/json-patch+json": PatchType(
        decode_json_patch, lambda document, patch, _: apply_json_patch(document, patch), read_json
    ),
    "application/merge-patch+json": PatchType(
        decode_merge_patch, lambda document, patch, _: apply_merge_patch(document, patch), read_json
    ),
    "application/strategic-merge-patch+json": PatchType(
        decode_strategic_merge_patch, apply_strategic_merge_patch, read_converted
    ),
}

APPLY_PATCH: Final = "application/apply-patch+yaml"

__all__ = [
    "APPLY_PATCH",
    "PATCH_TYPES",
    "Target",
    "apply_json_patch",
    "apply_merge_patch",
    "apply_strategic_merge_patch",
]
