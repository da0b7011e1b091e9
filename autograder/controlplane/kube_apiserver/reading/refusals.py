"""Finds the refusal that counts in a body that does not fit its type."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.apimachinery import types
from autograder.controlplane.kube_apiserver.reading import shape_of, struct_of
from autograder.controlplane.kube_apiserver.reading.mismatches import Mismatch
from autograder.controlplane.kube_apiserver.reading.scalars import OWN_READERS


def refuse_unmarshalled(value: Any, go_type: str) -> None:
    """Raise what the first type with JSON code of its own says against a value in a body that does not fit.

    Go notes the first value of a wrong type and reads on; a refusal by such code ends the reading and is what counts.
    """
    name = go_type.lstrip("*")
    if value is None:
        return
    if name in OWN_READERS:
        OWN_READERS[name](value, [])
        return
    plain = types.underlying(name)
    if plain.startswith("[]") and isinstance(value, list) and plain != "[]byte":
        for one in value:
            refuse_unmarshalled(one, plain[2:])
    elif plain.startswith("map[") and isinstance(value, dict):
        for one in value.values():
            refuse_unmarshalled(one, plain.partition("]")[2])
    elif isinstance(value, dict) and shape_of(name) == "struct":
        members = struct_of(name).members
        for key in [key for key in value if key in members]:
            try:
                refuse_unmarshalled(value[key], members[key].go_type)
            except Mismatch as error:
                error.within(name.rpartition(".")[2], members[key].steps)
                raise
