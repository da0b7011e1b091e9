"""Field selectors: parsing what clients write, and matching objects.

Grammar and meaning are those of apimachinery/pkg/fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from autograder.controlplane.apimachinery.errors import BadRequest


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """One condition on one field: equal or not equal."""

    field: str
    value: str
    negated: bool

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether the fields of an object fulfil the condition; a missing field is an empty one."""
        return (fields.get(self.field, "") == self.value) is not self.negated


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """All of some conditions on fields."""

    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether an object's selectable fields fulfil every condition."""
        return all(requirement.matches(fields) for requirement in self.requirements)


_FIELD_OPERATOR = re.compile(r"!=|==|=")
#: Terms end at commas, but not at those that a backslash stands before.
_FIELD_TERMS = re.compile(r"((?:[^,\\]|\\.|\\$)*)(?:,|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.?)|[,=]", re.DOTALL)


@lru_cache(maxsize=1024)
def parse_fields(text: str) -> FieldSelector:
    """A ``fieldSelector`` parameter such as ``metadata.name=web,status.phase!=Running``.

    A term without field and value is dropped.  ``BadRequest`` when it is malformed.
    """
    requirements = []
    for term in sorted(match[1] for match in _FIELD_TERMS.finditer(text)):
        if not term:
            continue
        operator = _FIELD_OPERATOR.search(term)
        if operator is None:
            raise BadRequest(f"invalid selector: '{text}'; can't understand '{term}'")
        field, value = term[: operator.start()], _ESCAPED.sub(_unescaped, term[operator.end() :])
        if field or value:
            requirements.append(FieldRequirement(field, value, operator[0] == "!="))
    return FieldSelector(tuple(requirements))


def _unescaped(match: re.Match[str]) -> str:
    """The character that an escape sequence stands for; ``BadRequest`` for one that stands for none."""
    if match[0] in (",", "="):
        raise BadRequest(f"invalid field selector: unescaped character in value: {ord(match[0])}")
    if match[1] not in ("\\", ",", "="):
        raise BadRequest(f"invalid field selector: invalid escape sequence: {match[0]}")
    return match[1]
