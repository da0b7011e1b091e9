"""The options of requests that write: CreateOptions, UpdateOptions and PatchOptions, all of them parameters.

Rules and texts are those of apimachinery/pkg/apis/meta/v1/validation.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.errors import Invalid
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.wire import Request
from autograder.controlplane.kube_apiserver.bodies import FIELD_VALIDATIONS
from autograder.controlplane.kube_apiserver.patching import APPLY_PATCH
from autograder.controlplane.kube_apiserver.registry.options import dry_run_option
from autograder.controlplane.kube_apiserver.validation.meta import field_manager
from autograder.controlplane.kube_apiserver.validation.rules import one_of

#: Verbs that write an object, and what their options are called.
KINDS: Final = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
_MANAGER: Final = Path("fieldManager")


def checked(request: Request, verb: str) -> bool:
    """Whether a write is only tried; raises ``Invalid`` for options that make no sense."""
    errors: list[FieldError] = []
    manager = request.param("fieldManager")
    applies = request.content_type == APPLY_PATCH
    if verb == "patch" and applies and not manager:
        errors.append(field.required(_MANAGER, "is required for apply patch"))
    if verb == "patch" and not applies and request.param("force"):
        errors.append(field.forbidden(Path("force"), "may not be specified for non-apply patch"))
    errors += field_manager(manager, _MANAGER)
    dry_run = dry_run_option(list(request.query.get("dryRun", ())), errors)
    errors += one_of(request.param("fieldValidation"), Path("fieldValidation"), FIELD_VALIDATIONS)
    if errors:
        raise Invalid.on(KINDS[verb], "meta.k8s.io", "", errors)
    return dry_run
