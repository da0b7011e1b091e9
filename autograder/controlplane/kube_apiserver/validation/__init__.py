"""Rules that hold for the objects of each kind, with the messages that Kubernetes gives where they are broken.

A rule is a line near its field: it yields ``FieldError`` objects, and the order in which rules stand is the order of
the messages. Rules see objects after defaulting and mutating admission; they change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery.field import FieldError

Create = Callable[[dict[str, Any]], Iterator[FieldError]]
Update = Callable[[dict[str, Any], dict[str, Any]], Iterator[FieldError]]

#: Type name -> rules for a new object; kinds that are not here are only decoded.
CREATE: Final[dict[str, Create]] = {}

#: Type name -> rules for a changed object, given the new and the old one.
UPDATE: Final[dict[str, Update]] = {}


def validate_create(type_name: str, obj: dict[str, Any]) -> list[FieldError]:
    """What is wrong with a new object, in order."""
    rules = CREATE.get(type_name)
    return list(rules(obj)) if rules else []


def validate_update(type_name: str, new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """What is wrong with a changed object, in order."""
    rules = UPDATE.get(type_name)
    return list(rules(new, old)) if rules else []
