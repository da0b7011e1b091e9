"""The timeline of a cluster: everything that was written, by whom, when, and because of what.

    for entry in cluster.timeline(since_revision):
        print(entry)      # 12  09:00:05Z  system:kube-scheduler  updated Pod default/web-x: spec.nodeName: worker-1

It is read from the store's history and from the API server's notes of who wrote; nothing is recorded for it elsewhere.
``because_of`` leads from an object to what owns it: from a Pod to its ReplicaSet to its Deployment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.scheme import RESOURCES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.etcd import Event, Store
from autograder.controlplane.kube_apiserver.chronicle import Chronicle

#: Fields that change with everything else, or say when it did.
SILENT: Final = frozenset({
    "resourceVersion", "managedFields", "generation", "observedGeneration", "lastTransitionTime", "lastUpdateTime",
    "lastProbeTime", "lastHeartbeatTime", "uid", "creationTimestamp",
})  # fmt: skip
#: What the entries of a list are known by.
KEYS: Final = ("name", "type", "uid", "key", "ip", "containerPort", "port")
#: Changes that an entry tells, and characters of a value that it shows.
CHANGES: Final = 16
LENGTH: Final = 60

_KINDS: Final = {row.prefix: row.kind for row in RESOURCES}


@dataclass(frozen=True, slots=True)
class Reference:
    """An object by its kind and name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One write.  ``verb`` is created, updated or deleted; ``changes`` says in words what became different."""

    revision: int
    time: str
    who: str
    verb: str
    kind: str
    namespace: str
    name: str
    changes: tuple[str, ...] = ()
    because_of: tuple[Reference, ...] = ()

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        what = f": {'; '.join(self.changes)}" if self.changes else ""
        why = f" (of {', of '.join(map(str, self.because_of))})" if self.because_of else ""
        return f"{self.revision}  {self.time}  {self.who}  {self.verb} {self.kind} {place}{what}{why}"


def timeline(chronicle: Chronicle, store: Store, since_revision: int = 0) -> list[Entry]:
    """Every write after a revision that is still known (leases left out), oldest first."""
    written = list(chronicle.written(store, 0))
    known: dict[str, Object] = {}
    for event, _ in written:
        for state in (event.before, event.now):
            if state is not None:
                known[state.value["metadata"]["uid"]] = state.value
    return [
        _entry(event, timestamps.time(note.time), note.user, known)
        for event, note in written if event.revision > since_revision
    ]  # fmt: skip


def chain(entries: Sequence[Entry], kind: str, name: str, namespace: str = "default") -> list[Entry]:
    """The entries about one object and everything that it owns: from a Deployment to its running Pods."""
    root = Reference(kind, name)
    return [
        entry for entry in entries
        if entry.namespace == namespace and (Reference(entry.kind, entry.name) == root or root in entry.because_of)
    ]  # fmt: skip


def _entry(event: Event, time: str, who: str, known: Mapping[str, Object]) -> Entry:
    state = event.now or event.before
    assert state is not None
    obj, meta = state.value, state.value["metadata"]
    changes: tuple[str, ...] = ()
    if event.now is None:
        verb = "deleted"
    elif event.before is None:
        verb = "created"
    else:
        verb, changes = "updated", tuple(_differences(event.before.value, event.now.value))[:CHANGES]
    kind = obj.get("kind") or _kind_of(event.key)
    return Entry(
        event.revision, time, who, verb, kind, meta.get("namespace", ""), meta["name"], changes,
        tuple(_owners(obj, known)),
    )  # fmt: skip


def _kind_of(key: str) -> str:
    """The kind of the objects in the longest folder that a key is in."""
    folders = [prefix for prefix in _KINDS if key.startswith(prefix)]
    return _KINDS[max(folders, key=len)] if folders else ""


def _owners(obj: Object, known: Mapping[str, Object]) -> Iterator[Reference]:
    """The controller that an object belongs to, the one that this belongs to, and so on."""
    seen: set[str] = set()
    while True:
        references = obj["metadata"].get("ownerReferences") or ()
        owner = next((one for one in references if one.get("controller")), None)
        if owner is None or owner["uid"] in seen:
            return
        seen.add(owner["uid"])
        yield Reference(owner["kind"], owner["name"])
        if owner["uid"] not in known:
            return
        obj = known[owner["uid"]]


def _differences(before: Any, now: Any, path: str = "") -> Iterator[str]:
    """Each field that has become different: ``status.phase: Pending -> Running``."""
    if isinstance(now, list) and before is None:
        before = []
    if _is_condition(before) and _is_condition(now):
        if _shown(before) != _shown(now):
            yield f"{path}: {_shown(before)} -> {_shown(now)}"
    elif isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in [*before, *(key for key in now if key not in before)]:
            if key not in SILENT and before.get(key) != now.get(key):
                yield from _differences(before.get(key), now.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(now, list) and (known_by := _key(before + now)):
        earlier, later = ({entry[known_by]: entry for entry in part} for part in (before, now))
        for name in [*earlier, *(name for name in later if name not in earlier)]:
            if earlier.get(name) != later.get(name):
                yield from _differences(earlier.get(name), later.get(name), f"{path}[{name}]")
    elif before is None:
        yield f"{path}: {_shown(now)}"
    elif now is None:
        yield f"{path}: no more"
    else:
        yield f"{path}: {_shown(before)} -> {_shown(now)}"


def _key(entries: list[Any]) -> str:
    """The field by which every entry of a list is known, or nothing."""
    if not entries or not all(isinstance(entry, Mapping) for entry in entries):
        return ""
    return next((key for key in KEYS if all(key in entry for entry in entries)), "")


def _is_condition(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() >= {"type", "status"}


def _shown(value: Any) -> str:
    if _is_condition(value):
        return f"{value['status']} ({value['reason']})" if value.get("reason") else str(value["status"])
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 3]}..."
