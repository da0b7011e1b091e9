"""Changing manifests as data: where their leaves are, and copies with one of them changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from autograder.clusters import Object

Path = tuple[str | int, ...]

_ABSENT: Final = object()


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every scalar and every empty list or map, with its path."""
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from leaves(entry, (*path, key))
    elif isinstance(value, list) and value:
        for index, entry in enumerate(value):
            yield from leaves(entry, (*path, index))
    else:
        yield path, value


def maps(value: Any, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every map, with its path, the outer ones first."""
    if isinstance(value, dict):
        yield path, value
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from maps(entry, (*path, key))


def at(value: Any, path: Sequence[str | int]) -> Any:
    """What stands at a path, or None."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def replaced(value: Any, path: Sequence[str | int], new: Any) -> Any:
    """A copy with ``new`` at the path; maps on the way are made where there are none."""
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(first, int):
        return [replaced(entry, rest, new) if index == first else entry for index, entry in enumerate(value)]
    below = value if isinstance(value, dict) else {}
    changed = replaced(below.get(first), rest, new)
    if changed is _ABSENT:
        return {key: entry for key, entry in below.items() if key != first}
    return {**below, first: changed}


def dropped(value: Any, path: Sequence[str | int]) -> Any:
    """A copy without what stands at the path, and without maps that are empty because of it."""
    if isinstance(path[-1], int):
        entries = at(value, path[:-1])
        rest = [entry for index, entry in enumerate(entries) if index != path[-1]]
        return replaced(value, path[:-1], rest) if rest else dropped(value, path[:-1])
    without = replaced(value, path, _ABSENT)
    while len(path) > 1 and at(without, path[:-1]) == {}:
        path = path[:-1]
        without = replaced(without, path, _ABSENT) if not isinstance(path[-1], int) else without
    return without


def reordered(value: Any) -> Any:
    """A copy with the keys of every map the other way round; lists keep their order."""
    if isinstance(value, dict):
        return {key: reordered(entry) for key, entry in reversed(value.items())}
    return [reordered(entry) for entry in value] if isinstance(value, list) else value


def server_fields_removed(obj: Object) -> Object:
    """An object as a user could send it: without what the server added about this one instance."""
    meta = obj["metadata"]
    own = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink")
    annotations = {
        key: value for key, value in meta.get("annotations", {}).items() if not key.startswith("kubectl.kubernetes.io/")
    }
    kept = {key: value for key, value in meta.items() if key not in (*own, "annotations")}
    if annotations:
        kept["annotations"] = annotations
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": kept}
