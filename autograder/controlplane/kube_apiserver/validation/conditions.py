"""The rules for conditions in the form that all kinds share (``metav1.Condition``).

Source: ``ValidateConditions`` of apimachinery/pkg/apis/meta/v1/validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery.field import (
    FieldError,
    Path,
    duplicate,
    invalid,
    not_supported,
    required,
    too_long,
)
from autograder.controlplane.kube_apiserver.validation import names

STATUSES: Final = ("False", "True", "Unknown")
REASON_LENGTH: Final = 1024
MESSAGE_LENGTH: Final = 32 * 1024

_REASON: Final = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_REASON_WORDS: Final = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_'"
)
_REASONS: Final = ("my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB")


def validate_conditions(conditions: list[dict[str, Any]], path: Path) -> Iterator[FieldError]:
    """What is wrong with a list of conditions, of which there is one of each type."""
    seen = set()
    for place, condition in enumerate(conditions):
        where, kind = path.index(place), condition.get("type", "")
        if kind in seen:
            yield duplicate(where.child("type"), kind)
        seen.add(kind)
        yield from _validate(condition, where)


def _validate(condition: dict[str, Any], path: Path) -> Iterator[FieldError]:
    kind, status, reason = (condition.get(name, "") for name in ("type", "status", "reason"))
    for why in names.label_key(kind):
        yield invalid(path.child("type"), kind, why)
    if status not in STATUSES:
        yield not_supported(path.child("status"), status, STATUSES)
    if condition.get("observedGeneration", 0) < 0:
        yield invalid(
            path.child("observedGeneration"), condition["observedGeneration"], "must be greater than or equal to zero"
        )
    if not condition.get("lastTransitionTime"):
        yield required(path.child("lastTransitionTime"))
    if not reason:
        yield required(path.child("reason"))
    elif not re.fullmatch(_REASON, reason, re.ASCII):
        yield invalid(path.child("reason"), reason, names.regex_error(_REASON_WORDS, _REASON, *_REASONS))
    if len(reason.encode()) > REASON_LENGTH:
        yield too_long(path.child("reason"), REASON_LENGTH)
    if len(condition.get("message", "").encode()) > MESSAGE_LENGTH:
        yield too_long(path.child("message"), MESSAGE_LENGTH)
