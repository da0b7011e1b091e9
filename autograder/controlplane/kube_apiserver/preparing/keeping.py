"""Fields of which an update takes no notice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def keep(names: Iterable[str], new: dict[str, Any], old: dict[str, Any]) -> None:
    """Put fields back as they were, those that were not there included."""
    for name in names:
        new.pop(name, None)
        if name in old:
            new[name] = old[name]
