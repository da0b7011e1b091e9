"""Field paths in checks: ``spec.containers[web].image`` means the container *named* web, wherever it stands.

In brackets stands the key of a map (``metadata.labels[app.kubernetes.io/name]``) or, for a list, the value of the field
that the API merges the list by: the name of a container, the number of a port, the mount path of a volume.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from autograder.checks.findings import NoSuchField

Path = tuple[str | int, ...]

#: What identifies an entry of a list; the first of these fields that the entry has counts.
LIST_KEYS: Final = ("name", "containerPort", "port", "mountPath", "type", "key", "ip", "uid")

_STEP: Final = re.compile(r"\.?([A-Za-z_$][\w$-]*)|\[([^\]]+)\]")


class _Missing:
    """Stands for the value of a field that is not there."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()


def steps(path: str) -> tuple[str, ...]:
    """The names and keys of a path; raises ``NoSuchField`` if it is malformed."""
    found: list[str] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise NoSuchField(f"{path!r} is no field path; write it like spec.containers[web].image")
        found.append(match[1] or match[2])
        at = match.end()
    return tuple(found)


def look_up(value: Any, path: Sequence[str]) -> Any:
    """The value at a path, or ``MISSING``."""
    for step in path:
        value = _child(value, step)[1]
    return value


def resolve(value: Any, path: Sequence[str]) -> Path:
    """The path with every key of a list turned into the index that it has in ``value``, as far as there is one."""
    resolved: list[str | int] = []
    for step in path:
        index, value = _child(value, step)
        resolved.append(step if index is None else index)
    return tuple(resolved)


def entry_key(entry: Any) -> str | None:
    """What an entry of a list is known by: the value of its first identifying field."""
    if not isinstance(entry, dict):
        return None
    return next((str(entry[key]) for key in LIST_KEYS if key in entry), None)


class Difference(NamedTuple):
    """A field that was one thing and is another."""

    path: tuple[str, ...]
    before: Any
    now: Any


def first_difference(before: Any, now: Any, path: tuple[str, ...] = ()) -> Difference | None:
    """The first field in which two values differ, or None if they are equal."""
    if before == now:
        return None
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            found = first_difference(before.get(key, MISSING), now.get(key, MISSING), (*path, key))
            if found is not None:
                return found
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (old, new) in enumerate(zip(before, now, strict=True)):
            found = first_difference(old, new, (*path, entry_key(old) or str(index)))
            if found is not None:
                return found
    return Difference(path, before, now)


def _child(value: Any, step: str) -> tuple[int | None, Any]:
    """The entry that a step leads to, and its index if ``value`` is a list."""
    if isinstance(value, dict):
        return None, value.get(step, MISSING)
    if isinstance(value, list):
        for index, entry in enumerate(value):
            if isinstance(entry, dict) and any(str(entry[key]) == step for key in LIST_KEYS if key in entry):
                return index, entry
        if step.isdecimal() and int(step) < len(value) and not isinstance(value[int(step)], dict):
            return int(step), value[int(step)]
    return None, MISSING


def render(path: Sequence[str]) -> str:
    """The path as it is written in messages."""
    text = ""
    for step in path:
        if re.fullmatch(r"[A-Za-z_$][\w$-]*", step) and not _is_key_of(text):
            text += f".{step}" if text else step
        else:
            text += f"[{step}]"
    return text


#: Fields whose children are keys or entries, not fields of the API.
_HOLDERS: Final = frozenset({
    "labels", "annotations", "matchLabels", "nodeSelector", "data", "stringData", "binaryData", "hard", "used",
    "requests", "limits", "selector", "containers", "initContainers", "ephemeralContainers", "volumes", "ports", "env",
    "volumeMounts", "conditions", "default", "defaultRequest", "max", "min", "containerStatuses",
})  # fmt: skip


def _is_key_of(text: str) -> bool:
    last = text.rpartition(".")[2]
    return last in _HOLDERS and not text.endswith("]")
