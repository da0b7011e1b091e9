"""The selectors in access reviews: what of them cannot be parsed is ignored, and the answer says so.

Source: pkg/registry/authorization/util, ``helpers.go``.
"""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.apimachinery.field_selectors import parse_fields
from autograder.controlplane.kube_apiserver.registry.options import parse_valid_labels

Object = dict[str, Any]

#: Operators of requirements on labels, and whether they take values.
_OF_LABELS: Final = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}


def evaluation_error(about: Object) -> str:
    """What is said of the selectors of ``resourceAttributes`` in the answer; nothing if both can be read."""
    readers = {
        "fieldSelector": (parse_fields, _is_readable_field),
        "labelSelector": (parse_valid_labels, _is_readable_label),
    }
    said = []
    for name, (parse, is_readable) in readers.items():
        selector = about.get(name) or {}
        readable = [is_readable(one) for one in selector.get("requirements") or ()]
        if raw := selector.get("rawSelector"):
            readable = [_parses(parse, raw)]
        if not all(readable):
            ignored = "partially ignored" if any(readable) else "ignored"
            said.append(f"spec.resourceAttributes.{name} {ignored} due to parse error")
    return "; ".join(said)


def _parses(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except BadRequest:
        return False
    return True


def _is_readable_field(requirement: Object) -> bool:
    return requirement.get("operator") in ("In", "NotIn") and len(requirement.get("values") or ()) == 1


def _is_readable_label(requirement: Object) -> bool:
    """Whether authorizers know such a requirement; its key and values have been validated."""
    takes_values = _OF_LABELS.get(requirement.get("operator", ""))
    return takes_values is not None and takes_values is bool(requirement.get("values"))
