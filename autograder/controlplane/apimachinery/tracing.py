"""The trace of one request: each step that it passed in the API server, and what it cost.  Data, for lessons to show.

What a request costs is counted and not timed, so that the same request on the same cluster costs the same on any
machine: how often the store was asked and how many objects it gave, how often it was written, how many fields the
server set, and the bytes of JSON that came in, were stored and went out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, how it ended (``passed``, or more), and the paths of the fields that it set or changed."""

    name: str
    outcome: str
    changed: tuple[str, ...] = ()

    def __str__(self) -> str:
        changed = f" ({', '.join(self.changed)})" if self.changed else ""
        return f"{self.name}: {self.outcome}{changed}"


@dataclass(slots=True)
class Cost:
    """What a request cost; bytes are those of compact JSON."""

    reads: int = 0
    objects_read: int = 0
    writes: int = 0
    fields_set: int = 0
    bytes_received: int = 0
    bytes_stored: int = 0
    bytes_answered: int = 0


@dataclass(slots=True)
class RequestTrace:
    """The steps of one request in their order, and their cost."""

    steps: list[Step] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)
    _entered: str = ""

    def enter(self, step: str) -> None:
        """A step begins."""
        self._entered = step

    def passed(self, outcome: str = "passed", changed: Iterable[str] = ()) -> None:
        """The step that began last has been passed."""
        paths = tuple(changed)
        self.steps.append(Step(self._entered, outcome, paths))
        self.cost.fields_set += len(paths)

    def refused(self, why: str) -> None:
        """The step that began last has ended the request."""
        self.steps.append(Step(self._entered, f"refused: {why}"))

    def __str__(self) -> str:
        return "\n".join(str(step) for step in self.steps)


def changes(before: Any, after: Any, path: str = "") -> list[str]:
    """The paths at which two values differ, such as ``spec.replicas``; a field that is new or gone is one path."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = [*before, *(name for name in after if name not in before)]
        return [
            one
            for name in names
            for one in changes(before.get(name), after.get(name), f"{path}.{name}" if path else str(name))
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [one for index, (old, new) in pairs for one in changes(old, new, f"{path}[{index}]")]
    return [] if before == after else [path]
