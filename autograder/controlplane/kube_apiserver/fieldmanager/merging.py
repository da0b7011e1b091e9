"""Merging an applied configuration into an object, and taking out what nobody owns any longer."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.kube_apiserver.fieldmanager.paths import (
    Path,
    Paths,
    Shape,
    child_shape,
    entry_shape,
    entry_step,
)


def merged(live: Any, config: Any, shape: Shape) -> Any:
    """The live value with everything that the configuration says; neither is changed."""
    if shape.kind in ("struct", "map") and isinstance(live, dict) and isinstance(config, dict):
        result = dict(live)
        for name, value in config.items():
            if value is not None or not live.get(name) or child_shape(shape, name).kind == "leaf":
                result[name] = merged(live.get(name), value, child_shape(shape, name))
        return result
    if shape.kind in ("list", "set") and isinstance(live, list) and isinstance(config, list):
        return _merged_list(live, config, shape)
    return config


def without(value: Any, removed: Paths, kept: Paths, shape: Shape, path: Path = ()) -> Any:
    """The value without the removed paths; an entry goes with all its fields unless something kept lies in it."""
    if not _concerns(removed, path):
        return value
    if shape.kind in ("struct", "map") and isinstance(value, dict):
        result = {}
        for name, part in value.items():
            step = (*path, "f:" + name)
            if step in removed and not _concerns(kept, step):
                continue
            result[name] = without(part, removed, kept, child_shape(shape, name), step)
        return result
    if shape.kind in ("list", "set") and isinstance(value, list):
        entries = []
        for entry in value:
            step = (*path, entry_step(shape, entry))
            if step in removed and not _concerns(kept, step):
                continue
            entries.append(without(entry, removed, kept, entry_shape(shape), step) if shape.kind == "list" else entry)
        return entries
    return value


def _merged_list(live: list[Any], config: list[Any], shape: Shape) -> list[Any]:
    """Entries of both, in the configuration's order; those that only the live list has stay where they are."""
    mine = {entry_step(shape, entry): entry for entry in config}
    theirs = {entry_step(shape, entry): entry for entry in live}
    waiting = list(mine)
    result = []

    def put(step: str) -> None:
        both = shape.kind == "list" and step in theirs
        result.append(merged(theirs[step], mine[step], entry_shape(shape)) if both else mine[step])

    for step, entry in theirs.items():
        if step not in mine:
            result.append(entry)
            continue
        while waiting and step in waiting:
            put(waiting.pop(0))
    for step in waiting:
        put(step)
    return result


def _concerns(paths: Paths, path: Path) -> bool:
    """Whether a path of the set is this one or lies below it."""
    depth = len(path)
    return any(one[:depth] == path for one in paths)
