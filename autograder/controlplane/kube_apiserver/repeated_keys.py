"""Keys that stand twice in one map of a YAML document, which YAML forbids and the parser lets pass.

Words and lines are those of the Go library in its strict mode: the line is that of the value given again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

HEAD: Final = "yaml: unmarshal errors:"


@dataclass(slots=True)
class _Map:
    """A map that is being read: the keys that it has, and the key and line of the value that is read now."""

    keys: set[str] = field(default_factory=set)
    key: str | None = None
    line: int = 0
    begun: bool = False


def find(body: bytes) -> tuple[str, ...]:
    """What is wrong with each key that stands twice; ``body`` is a document that has been parsed well."""
    import yaml  # most requests are JSON, and the import costs more than such a request

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: list[str] = []
    open_nodes: list[_Map | None] = []
    for event in yaml.parse(body.decode("utf-8", errors="replace"), Loader=loader):
        kind = type(event).__name__
        if kind == "DocumentEndEvent":
            break
        holder = open_nodes[-1] if open_nodes else None
        if kind.endswith("EndEvent"):
            if open_nodes:
                open_nodes.pop()
                _finish(open_nodes[-1] if open_nodes else None, found)
        elif kind in ("ScalarEvent", "AliasEvent", "MappingStartEvent", "SequenceStartEvent"):
            _begin(holder, event)
            if kind == "MappingStartEvent":
                open_nodes.append(_Map())
            elif kind == "SequenceStartEvent":
                open_nodes.append(None)
            else:
                _finish(holder, found)
    return tuple(found)


def told(problems: tuple[str, ...]) -> str:
    """The problems as one error tells them."""
    return "\n  ".join((HEAD, *problems))


def _begin(holder: _Map | None, event: Any) -> None:
    """A node of a map begins: its key, or the value of that."""
    if holder is None:
        return
    if not holder.begun:
        holder.key = getattr(event, "value", None)
    else:
        holder.line = event.start_mark.line + 1


def _finish(holder: _Map | None, found: list[str]) -> None:
    """A node of a map has ended."""
    if holder is None:
        return
    if holder.begun and holder.key is not None:
        if holder.key in holder.keys:
            found.append(f"line {holder.line}: key {json.dumps(holder.key, ensure_ascii=False)} already set in map")
        holder.keys.add(holder.key)
    holder.begun = not holder.begun
