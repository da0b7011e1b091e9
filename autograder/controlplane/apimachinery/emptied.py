"""Lists and maps that a client gave empty, for the messages that show them.

In normal form an empty list or map is left out, or null, as it would be after a trip through etcd. But a message that
shows the value which a client sent tells ``[]`` and ``{}`` from ``null``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Emptied(dict[str, Any]):
    """An object in normal form that remembers which of its fields the client gave empty: ``empty`` has them."""

    __slots__ = ("empty",)
    empty: dict[str, Any]


def as_given(obj: Mapping[str, Any], name: str) -> Any:
    """The list or map in a field, for a message: ``[]`` or ``{}`` if it was given so, None if it was not given."""
    value = obj.get(name)
    return obj.empty.get(name) if value is None and isinstance(obj, Emptied) else value
