"""Keeping ``metadata.managedFields`` through updates, and server-side apply with its conflicts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from autograder.controlplane.apimachinery.emptied import as_given
from autograder.controlplane.apimachinery.errors import BadRequest, Conflict, Unclassified
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.decoding import normal_form
from autograder.controlplane.kube_apiserver.fieldmanager import last_applied, typed
from autograder.controlplane.kube_apiserver.fieldmanager.merging import merged, without
from autograder.controlplane.kube_apiserver.fieldmanager.paths import (
    BRANCH,
    Path,
    Paths,
    applied_paths,
    changed_paths,
    from_fields,
    is_well_formed,
    shape_of_root,
    shown,
    to_fields,
    values,
    with_structs,
)

#: Fields that belong to the server or name the object; nobody manages them.
_UNMANAGED: Final = frozenset({
    ("f:apiVersion",), ("f:kind",), ("f:metadata",),
    *(
        ("f:metadata", "f:" + name)
        for name in (
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
            "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds",
        )
    ),
})  # fmt: skip
#: What a write of a (sub)resource puts back as it was, so that nobody manages it through that (``GetResetFields``).
_RESET_BY_STATUS: Final[tuple[Path, ...]] = (("f:spec",),)
_RESET_BY_OTHERS: Final[tuple[Path, ...]] = (("f:status",),)
_RESET_BESIDES: Final[dict[str, tuple[Path, ...]]] = {
    "apps/v1.Deployment": (("f:metadata", "f:labels"),),
    "core/v1.Pod": (("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:ownerReferences")),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One manager's fields.  ``operation`` is Apply or Update."""

    manager: str
    operation: str
    subresource: str
    time: str
    paths: Paths

    def is_same_manager(self, other: Entry) -> bool:
        """Whether two entries are of one manager doing one kind of thing."""
        return (self.manager, self.operation, self.subresource) == (other.manager, other.operation, other.subresource)


def track_update(
    kind: ResourceType, new: Object, old: Object | None, *, manager: str, subresource: str, now: str
) -> None:
    """Write into ``new`` who manages which field after an ordinary create or update; ``new`` is changed in place.

    Managers that ``new`` states take the place of those of ``old``, except through a subresource.  An object that
    nobody manages any more stays so until somebody applies to it.
    """
    given = as_given(new["metadata"], "managedFields")
    new["metadata"].pop("managedFields", None)
    if old is not None and not _entries(old):
        return
    shape = shape_of_root(kind.go_type)
    # What stands in every object of the type is nobody's doing.
    before = dict(values(old if old is not None else normal_form({}, kind.go_type), shape))
    after = dict(values(new, shape))
    changed = _managed(kind, changed_paths(before, after), subresource)
    removed = _managed(kind, before.keys() - after.keys(), subresource)
    entry = Entry(manager, "Update", subresource, now, changed)
    entries = _entries(old) if subresource else _stated(given, old)
    mine = next((one for one in entries if one.is_same_manager(entry)), None)
    others = [
        replace(one, paths=one.paths - {path for path in changed if after[path] is not BRANCH} - removed)
        for one in entries
        if one is not mine
    ]
    if mine is not None:
        time = now if entry.paths or mine.paths & removed else mine.time
        entry = replace(entry, paths=(mine.paths - removed) | entry.paths, time=time)
    _write(kind, new, [*others, entry])


def apply(
    kind: ResourceType, live: Object | None, config: Object, *, manager: str, force: bool, subresource: str, now: str
) -> Object:
    """The object after a configuration was applied by a manager, with its managers.

    ``BadRequest`` for a configuration of something else; ``Conflict`` when it would change what another manager wrote
    and ``force`` is not given.
    """
    _check(kind, config)
    shape = shape_of_root(kind.go_type)
    base: Object = live if live is not None else {"metadata": {}}
    entries = _entries(live)
    if live is not None and not entries:
        entries = [_unknown(kind, live, now)]
    new = Entry(manager, "Apply", subresource, now, _managed(kind, applied_paths(config, shape), subresource))
    mine = next((one for one in entries if one.is_same_manager(new)), None)
    others = [one for one in entries if one is not mine]
    result = merged(base, config, shape)
    before, after = dict(values(base, shape)), dict(values(result, shape))
    touched = {path for path in changed_paths(before, after) if after[path] is not BRANCH}
    conflicts = [(one, sorted(one.paths & touched & new.paths)) for one in others]
    if live is not None and not force and manager == last_applied.KUBECTL and any(paths for _, paths in conflicts):
        own = last_applied.allowed(live, shape)
        conflicts = [(one, [path for path in paths if path not in own]) for one, paths in conflicts]
    if live is not None and not force and any(paths for _, paths in conflicts):
        raise _conflict(kind, [(one, path) for one, paths in conflicts for path in paths])
    others = [replace(one, paths=one.paths - touched) for one in others]
    kept = frozenset().union(new.paths, *(one.paths for one in others))
    if mine is not None:
        result = without(result, with_structs(mine.paths - kept, shape) - _UNMANAGED, kept, shape)
    if live is not None and result == base:  # only what changes an object has a time
        new = replace(new, time=mine.time if mine is not None else "")
    result = {**result, "metadata": dict(result.get("metadata", {}))}
    _write(kind, result, [*others, new])
    return last_applied.updated(result, config) if manager == last_applied.KUBECTL else result


#: Who is said to manage what was written before anybody was noted.
_BEFORE_FIRST_APPLY: Final = "before-first-apply"


def _unknown(kind: ResourceType, live: Object, now: str) -> Entry:
    """The manager of everything in an object of which nobody is known to manage anything."""
    shape = shape_of_root(kind.go_type)
    before = dict(values(normal_form({}, kind.go_type), shape))
    paths = changed_paths(before, dict(values(live, shape)))
    return Entry(_BEFORE_FIRST_APPLY, "Update", "", now, _managed(kind, paths, ""))


def _check(kind: ResourceType, config: Object) -> None:
    given = tuple(text if isinstance(text := config.get(part), str) else "" for part in ("apiVersion", "kind"))
    if given != (kind.api_version, kind.kind):
        group, _, version = given[0].rpartition("/")
        raise BadRequest(f"invalid object type: {group}/{version}, Kind={given[1]}")
    metadata = config.get("metadata")
    meta: Object = metadata if isinstance(metadata, dict) else {}
    if meta.get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")
    if wrong := typed.refusal(config, kind.go_type):
        raise Unclassified(f"failed to create typed patch object ({named(kind, config)}): {wrong}")


def named(kind: ResourceType, config: Object) -> str:
    """What a configuration is said to be of: ``dev/web; apps/v1, Kind=Deployment``."""
    metadata = config.get("metadata")
    meta: Object = metadata if isinstance(metadata, dict) else {}
    namespace, name = (one if isinstance(one, str) else "" for one in (meta.get("namespace"), meta.get("name")))
    group, _, version = kind.api_version.rpartition("/")
    return f"{namespace}/{name}; {group}/{version}, Kind={kind.kind}"


def _managed(kind: ResourceType, paths: Iterable[Path], subresource: str) -> Paths:
    """Those of the paths that can be managed through this (sub)resource."""
    reset = _RESET_BY_OTHERS
    if subresource == "status":
        reset = (*_RESET_BY_STATUS, *_RESET_BESIDES.get(kind.go_type, ()))
    managed = (path for path in paths if path and path not in _UNMANAGED)
    return frozenset(path for path in managed if not any(path[: len(prefix)] == prefix for prefix in reset))


#: What a client writes to have all managers forgotten.
_RESETS: Final[tuple[list[Object], ...]] = ([], [{}])


def _stated(given: Any, old: Object | None) -> list[Entry]:
    """The managers that a client states; those of the old object where it states none that can be read."""
    if given in _RESETS:
        return []
    readable = bool(given) and all(_is_readable(one) for one in given)
    return _read(given) if readable else _entries(old)


def _is_readable(entry: Any) -> bool:
    return (
        isinstance(entry.get("manager", ""), str)
        and entry.get("operation") in ("Apply", "Update")
        and entry.get("fieldsType") == "FieldsV1"
        and is_well_formed(entry.get("fieldsV1", {}))
    )


def _entries(obj: Object | None) -> list[Entry]:
    return [] if obj is None else _read(obj["metadata"].get("managedFields", ()))


def _read(entries: Iterable[Object]) -> list[Entry]:
    return [
        Entry(
            one.get("manager", ""), one["operation"], one.get("subresource", ""), one.get("time", ""),
            from_fields(one.get("fieldsV1", {})),
        )
        for one in entries
    ]  # fmt: skip


def _write(kind: ResourceType, obj: Object, entries: list[Entry]) -> None:
    """Put the entries that own anything into the object: applies first, then by time and name."""
    written = []
    for one in sorted(entries, key=lambda one: (one.operation != "Apply", one.time, one.manager)):
        if not one.paths:
            continue
        entry: dict[str, Any] = {
            "manager": one.manager,
            "operation": one.operation,
            "apiVersion": kind.api_version,
            **({"time": one.time} if one.time else {}),
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields(one.paths),
        }
        if one.subresource:
            entry["subresource"] = one.subresource
        written.append(entry)
    if written:
        obj["metadata"]["managedFields"] = written
    else:
        obj["metadata"].pop("managedFields", None)


def _conflict(kind: ResourceType, conflicts: list[tuple[Entry, Path]]) -> Conflict:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_named(kind, one)}", "field": shown(path)}
        for one, path in conflicts
    ]
    if len(conflicts) == 1:
        one, path = conflicts[0]
        message = f"Apply failed with 1 conflict: conflict with {_named(kind, one)}: {shown(path)}"
    else:
        lines = []
        for name in sorted({_named(kind, one) for one, _ in conflicts}):
            lines.append(f"conflicts with {name}:")
            lines += [f"- {shown(path)}" for one, path in conflicts if _named(kind, one) == name]
        message = f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
    return Conflict(message, details={"causes": causes})


def _named(kind: ResourceType, entry: Entry) -> str:
    text = json.dumps(entry.manager, ensure_ascii=False)
    if entry.subresource:
        text += f' with subresource "{entry.subresource}"'
    return f"{text} using {kind.api_version}" if entry.operation == "Update" else text
