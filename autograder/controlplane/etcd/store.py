"""An MVCC key-value store like etcd: one revision counter, history, watches from a revision, compaction.

Every write raises the store's revision by one and stamps it on the key.  Values are never mutated, so that reading,
watching and forking hand out references.  ``MemoryStore`` keeps everything in this process; ``remote.EtcdStore`` keeps
it in a real etcd.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, Protocol

Value = Any

#: What the way to an etcd says that has been stopped.
UNREACHABLE: Final = (
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '
    'dial tcp {host}:{port}: connect: connection refused"'
)


class KeyValue(NamedTuple):
    """One key as it stood at ``mod_revision``; ``version`` counts the writes since it was created."""

    key: str
    value: Value
    create_revision: int
    mod_revision: int
    version: int


class Event(NamedTuple):
    """One write.  ``now`` is None for a deletion, ``before`` is None for a creation; both as they were stamped then."""

    revision: int
    key: str
    now: KeyValue | None
    before: KeyValue | None


class WriteConflict(Exception):
    """A write expected another state of the key; ``found`` is the state it met (None: no such key)."""

    def __init__(self, key: str, found: KeyValue | None) -> None:
        super().__init__(f"{key} is at {found.mod_revision if found else 'no revision'}")
        self.found = found


class Compacted(Exception):
    """The history asked for is gone; ``oldest`` is the first revision that can still be read."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"revision {asked} has been compacted; the oldest is {oldest}")
        self.asked = asked
        self.oldest = oldest


class StoreFailure(Exception):
    """The store did not answer, or refused; the message is what etcd or the way to it said."""


class Watch(Protocol):
    """A position in the history of the keys below a prefix."""

    @property
    def revision(self) -> int:
        """A revision up to which every event has been polled; a watch from it misses and repeats nothing."""

    def poll(self) -> list[Event]:
        """The events since the last poll, oldest first; raises ``Compacted`` when some are gone."""

    def waiting(self) -> bool:
        """Whether a poll might bring something."""


class Store(Protocol):
    """What the API server asks of its store; any read or write may raise ``StoreFailure``."""

    @property
    def failure(self) -> str:
        """Why the store does not answer now; empty while it does."""

    @property
    def revision(self) -> int:
        """The revision of the last write."""

    @property
    def compacted(self) -> int:
        """History up to this revision is gone."""

    def get(self, key: str) -> KeyValue | None:
        """The key as it stands now."""

    def range(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> list[KeyValue]:
        """Keys below a prefix in order, from the first one greater than ``after``, at most ``limit`` (0: all).

        With a ``revision``, as they stood then; raises ``Compacted`` when that is gone.
        """

    def put(self, key: str, value: Value, *, expected: int | None) -> KeyValue:
        """Write a key whose ``mod_revision`` must be ``expected`` (0: it must not exist; None: whatever it is).

        Raises ``WriteConflict``.
        """

    def delete(self, key: str, *, expected: int | None) -> KeyValue:
        """Remove a key; returns what a last read of it would show, stamped with the deletion's revision."""

    def watch(self, prefix: str, *, after: int) -> Watch:
        """All events below a prefix with a revision greater than ``after``; raises ``Compacted``."""

    def compact(self, revision: int) -> None:
        """Forget history before ``revision``, which can still be read and watched from."""

    def history(self, after: int) -> list[Event]:
        """All events of all keys with a revision greater than ``after`` that have not been compacted, oldest first."""

    def keys(self) -> Iterator[str]:
        """Every key, in order."""

    def fork(self) -> MemoryStore:
        """A store in this process that goes on from here, apart from this one."""


class _Folder:
    """The keys of one resource (``/registry/pods/``) with their history; copied on the first write after a fork."""

    __slots__ = ("dropped", "items", "keys", "log", "shared")

    def __init__(self) -> None:
        self.items: dict[str, KeyValue] = {}
        self.keys: list[str] = []
        self.log: list[Event] = []
        self.dropped = 0
        self.shared = False

    def copy(self) -> _Folder:
        twin = _Folder()
        twin.items, twin.keys, twin.log = self.items.copy(), self.keys.copy(), self.log.copy()
        twin.dropped = self.dropped
        return twin

    def after(self, revision: int) -> int:
        """How many events, dropped ones included, happened up to a revision."""
        return self.dropped + bisect_right(self.log, revision, key=lambda event: event.revision)


class MemoryStore:
    """The store in this process.  ``stamp`` puts a revision into a value as it is written (its resourceVersion)."""

    def __init__(self, stamp: Callable[[Value, int], Value]) -> None:
        #: Why it does not answer now, as for a process that has been killed; whoever stops it says so here.
        self.failure = ""
        self._stamp = stamp
        self._folders: dict[str, _Folder] = {}
        self._revision = 1
        self._compacted = 0

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def compacted(self) -> int:
        return self._compacted

    def fork(self) -> MemoryStore:
        """A store that goes on from here, apart from this one.  Costs a reference per resource, not per object."""
        twin = MemoryStore(self._stamp)
        for folder in self._folders.values():
            folder.shared = True
        twin._folders = self._folders.copy()
        twin._revision, twin._compacted = self._revision, self._compacted
        twin.failure = self.failure
        return twin

    def get(self, key: str) -> KeyValue | None:
        self._answers()
        folder = self._folders.get(_folder_of(key))
        return folder.items.get(key) if folder else None

    def range(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> list[KeyValue]:
        self._answers()
        if revision and revision < self._compacted:
            raise Compacted(revision, self._compacted)
        found: list[KeyValue] = []
        for folder in self._below(prefix):
            items, keys = folder.items, folder.keys
            if revision and revision < self._revision:
                items = _as_of(folder, revision)
                keys = sorted(items)
            start = bisect_right(keys, after) if after else bisect_left(keys, prefix)
            for position in range(start, len(keys)):
                if not keys[position].startswith(prefix):
                    break
                found.append(items[keys[position]])
                if limit and len(found) == limit:
                    return found
        return found

    def put(self, key: str, value: Value, *, expected: int | None) -> KeyValue:
        self._answers()
        folder = self._writable(key)
        before = folder.items.get(key)
        if expected is not None and expected != (before.mod_revision if before else 0):
            raise WriteConflict(key, before)
        revision = self._revision + 1
        stamped = self._stamp(value, revision)
        if before:
            now = KeyValue(key, stamped, before.create_revision, revision, before.version + 1)
        else:
            now = KeyValue(key, stamped, revision, revision, 1)
        self._keep(folder, Event(revision, key, now, before))
        return now

    def delete(self, key: str, *, expected: int | None) -> KeyValue:
        self._answers()
        folder = self._writable(key)
        before = folder.items.get(key)
        if before is None or (expected is not None and expected != before.mod_revision):
            raise WriteConflict(key, before)
        revision = self._revision + 1
        last = before._replace(value=self._stamp(before.value, revision), mod_revision=revision)
        self._keep(folder, Event(revision, key, None, before))
        return last

    def _answers(self) -> None:
        if self.failure:
            raise StoreFailure(self.failure)

    def record(self, event: Event) -> None:
        """Take in a write that happened elsewhere, at a revision not lower than this store's."""
        self._keep(self._writable(event.key), event)

    def skip_to(self, revision: int) -> None:
        """Go on from a later revision; whatever happened on the way is none of this store's business."""
        self._revision = revision

    def _keep(self, folder: _Folder, event: Event) -> None:
        key, now = event.key, event.now
        if now is None:
            del folder.items[key]
            del folder.keys[bisect_left(folder.keys, key)]
        else:
            if event.before is None:
                insort(folder.keys, key)
            folder.items[key] = now
        folder.log.append(event)
        self._revision = event.revision

    def watch(self, prefix: str, *, after: int) -> MemoryWatch:
        if after < self._compacted:
            raise Compacted(after, self._compacted)
        return MemoryWatch(self, prefix, after)

    def compact(self, revision: int) -> None:
        for name, folder in self._folders.items():
            count = folder.after(revision) - folder.dropped
            if count:
                mine = folder.copy() if folder.shared else folder
                del mine.log[:count]
                mine.dropped += count
                self._folders[name] = mine
        self._compacted = max(self._compacted, revision)

    def history(self, after: int) -> list[Event]:
        """All events of all keys with a revision greater than ``after`` that have not been compacted, oldest first."""
        logs = [folder.log[folder.after(after) - folder.dropped :] for folder in self._folders.values()]
        return sorted((event for log in logs for event in log), key=lambda event: event.revision)

    def keys(self) -> Iterator[str]:
        """Every key, in order."""
        for name in sorted(self._folders):
            yield from self._folders[name].keys

    def folder(self, name: str) -> _Folder | None:
        """A folder by its name, or None while nothing has been written there; for watches."""
        return self._folders.get(name)

    def _below(self, prefix: str) -> list[_Folder]:
        if prefix.count("/") >= 3:
            folder = self._folders.get(_folder_of(prefix))
            return [folder] if folder else []
        return [self._folders[name] for name in sorted(self._folders) if name.startswith(prefix)]

    def _writable(self, key: str) -> _Folder:
        name = _folder_of(key)
        folder = self._folders.get(name)
        if folder is None:
            folder = self._folders[name] = _Folder()
        elif folder.shared:
            folder = self._folders[name] = folder.copy()
        return folder


class MemoryWatch:
    """A position in the log of one folder."""

    __slots__ = ("_folder", "_position", "_prefix", "_store")

    def __init__(self, store: MemoryStore, prefix: str, after: int) -> None:
        self._store = store
        self._prefix = prefix
        self._folder = _folder_of(prefix)
        folder = store.folder(self._folder)
        self._position = folder.after(after) if folder else 0

    @property
    def revision(self) -> int:
        folder = self._store.folder(self._folder)
        if folder is None or self._position >= folder.dropped + len(folder.log):
            return self._store.revision
        if self._position < folder.dropped:
            return 0
        return folder.log[self._position - folder.dropped].revision - 1

    def waiting(self) -> bool:
        folder = self._store.folder(self._folder)
        return folder is not None and self._position < folder.dropped + len(folder.log)

    def poll(self) -> list[Event]:
        folder = self._store.folder(self._folder)
        if folder is None or self._position >= folder.dropped + len(folder.log):
            return []
        if self._position < folder.dropped:
            raise Compacted(0, self._store.compacted)
        events = folder.log[self._position - folder.dropped :]
        self._position += len(events)
        if self._prefix == self._folder:
            return events
        return [event for event in events if event.key.startswith(self._prefix)]


def _folder_of(key: str) -> str:
    """``/registry/pods/`` of ``/registry/pods/default/web``."""
    return key[: key.find("/", 10) + 1]


def _as_of(folder: _Folder, revision: int) -> dict[str, KeyValue]:
    """The folder's keys as they stood after a revision, by undoing what was written since."""
    items = folder.items.copy()
    for event in reversed(folder.log):
        if event.revision <= revision:
            break
        if event.before is None:
            items.pop(event.key, None)
        else:
            items[event.key] = event.before
    return items
