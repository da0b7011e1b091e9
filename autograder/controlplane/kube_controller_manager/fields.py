"""Fields of objects, as Go writes them."""

from __future__ import annotations

from autograder.controlplane.apimachinery.wire import Object


def compact(fields: Object) -> Object:
    """The fields that Go would write (``omitempty``): without empty texts, zeros, empty lists and absent ones."""
    return {key: value for key, value in fields.items() if value}
