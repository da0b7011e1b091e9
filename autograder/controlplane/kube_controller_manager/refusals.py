"""What the API server refuses a controller though nothing is wrong."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import StatusError

_CAUSE: Final = "NamespaceTerminating"


def is_of_terminating_namespace(error: StatusError) -> bool:
    """Whether nothing can be created in a namespace any more, since it is going away."""
    return any(cause.get("reason") == _CAUSE for cause in (error.details or {}).get("causes", ()))
