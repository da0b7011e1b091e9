"""Objects as some error messages print them: by the fields of Kubernetes' unversioned types, empty ones included.

The API server judges objects in a form of its own, without JSON names; where a message shows a whole part of an
object (``spec.template: Invalid value: {"Spec":{"Volumes":null, ...``), that form is what is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from autograder.controlplane.apimachinery.emptied import as_given

_FILE = Path(__file__).with_name("internal.json")
_ZEROS = {"string": "", "bool": False, "resource.Quantity": "0"}
#: What v1 has in the spec of a pod and the unversioned type in its security context.
_HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")


def unversioned(value: Any, type_name: str) -> Any:
    """A part of an object in the form that messages print; ``type_name`` is e.g. ``core.PodTemplateSpec``."""
    if type_name.startswith("*"):
        return None if value is None else unversioned(value, type_name[1:])
    structs, named = _table()
    plain = named.get(type_name, type_name)
    if plain.startswith("[]"):
        return None if value is None else [unversioned(one, plain[2:]) for one in value]
    if plain.startswith("map["):
        return None if value is None else {key: unversioned(one, plain.partition("]")[2]) for key, one in value.items()}
    if plain in structs:
        return _struct(value or {}, plain)
    if value is not None or plain.startswith("meta/"):
        return value
    return _ZEROS.get(plain, 0)


def _struct(value: Mapping[str, Any], type_name: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, json_name, field_type in _table()[0][type_name]:
        if name:
            shown[name] = unversioned(as_given(value, json_name), field_type)
        elif field_type == "meta/v1.ObjectMeta":
            shown |= value.get("metadata", {})
        else:
            shown |= _struct(value, field_type)
    if type_name == "core.PodSpec":
        host = {name: value[name] for name in _HOST_FIELDS if name in value}
        shown["SecurityContext"] = _struct({**value.get("securityContext", {}), **host}, "core.PodSecurityContext")
    return shown


@cache
def _table() -> tuple[dict[str, list[list[str]]], dict[str, str]]:
    table = json.loads(_FILE.read_text(encoding="utf-8"))
    return table["structs"], table["named"]
