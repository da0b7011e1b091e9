"""Informers: a local copy of a collection, kept up to date by a watch, with indexes.

Components read from informers and write to the API server, so that reading costs nothing and what they act on may be
a little old, as in a real cluster.  A fork shares the copy until one side changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from autograder.controlplane.apimachinery.errors import Expired, ServiceUnavailable, StoreError
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, WatchStream
from autograder.controlplane.client.client import Client

#: Gives the values under which an object is found in an index.
Indexer = Callable[[Object], Iterable[str]]


class Delta(NamedTuple):
    """One change of the collection: ``old`` is None for a new object, ``new`` is None for one that is gone.

    When ``new`` is None, ``old`` is the last state of the object, with the deletion's resourceVersion.
    """

    old: Object | None
    new: Object | None

    @property
    def object(self) -> Object:
        """The newest state known."""
        found = self.new or self.old
        assert found is not None
        return found


def object_key(obj: Object) -> str:
    """``namespace/name``, or just the name of an object that lives in no namespace."""
    meta = obj["metadata"]
    namespace = meta.get("namespace")
    return f"{namespace}/{meta['name']}" if namespace else meta["name"]


def split_key(key: str) -> tuple[str, str]:
    """Namespace (may be empty) and name of an ``object_key``."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def by_namespace(obj: Object) -> Iterable[str]:
    """Index: the object's namespace."""
    return (obj["metadata"].get("namespace", ""),)


def by_node(obj: Object) -> Iterable[str]:
    """Index: the node that a pod is bound to ('' while it has none)."""
    return (obj["spec"].get("nodeName", ""),)


class Informer:
    """A collection as of the last ``sync``, in the order of the keys' arrival.

    When the history that it has missed is gone, it lists again and takes the difference for what has happened.

    Objects are the server's own and must never be changed.
    """

    def __init__(
        self,
        client: Client,
        kind: ResourceType,
        *,
        namespace: str = "",
        fields: str = "",
        indexers: Mapping[str, Indexer] | None = None,
    ) -> None:
        self.kind = kind
        self._client = client
        self._namespace = namespace
        self._fields = fields
        self._indexers = dict(indexers or {})
        self._items: dict[str, Object] = {}
        self._indexes: dict[str, dict[str, dict[str, Object]]] = {name: {} for name in self._indexers}
        self._shared = False
        self._revision = ""
        self._stream: WatchStream | None = None

    def fork(self, client: Client) -> Informer:
        """The same collection for a fork of the cluster; it goes on watching there from the same point."""
        twin = Informer(client, self.kind, namespace=self._namespace, fields=self._fields, indexers=self._indexers)
        self._shared = twin._shared = True
        twin._items, twin._indexes = self._items, self._indexes
        twin._revision = str(self._stream.revision) if self._stream else self._revision
        return twin

    def add_indexer(self, name: str, indexer: Indexer) -> None:
        """Keep one more index; to be called before the first ``sync``."""
        self._indexers[name] = indexer
        self._indexes[name] = {}

    @property
    def watches(self) -> bool:
        """Whether there is a watch that brings it news."""
        return self._stream is not None

    def sync(self) -> list[Delta]:
        """Take in what has happened since; the first call lists what there is.

        While the API server or its store is away there is no news; the next call asks again.
        """
        try:
            return self._news()
        except (ServiceUnavailable, StoreError):
            return []

    def _news(self) -> list[Delta]:
        if self._stream is None:
            if not self._revision:
                return self._list()
            try:
                self._stream = self._watch(self._revision)
            except Expired:
                return self._list()
        if not self._stream.waiting():
            return []
        deltas: list[Delta] = []
        for event in self._stream.poll():
            if event.type == "ERROR":
                return deltas + self._list()
            self._revision = event.object["metadata"]["resourceVersion"]
            if event.type != "BOOKMARK":
                deltas.append(self._take(event.object, gone=event.type == "DELETED"))
        return deltas

    def get(self, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self._items.get(f"{namespace}/{name}" if namespace else name)

    def get_by_key(self, key: str) -> Object | None:
        """One object by its ``object_key``, or None."""
        return self._items.get(key)

    def by_index(self, index: str, value: str) -> list[Object]:
        """The objects that an index files under a value."""
        return list(self._indexes[index].get(value, {}).values())

    def keys(self) -> list[str]:
        """The keys of all objects."""
        return list(self._items)

    def __iter__(self) -> Iterator[Object]:
        return iter(list(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def _list(self) -> list[Delta]:
        items, revision = self._client.list(self.kind, self._namespace, fields=self._fields)
        self._revision, self._stream = revision, self._watch(revision)
        there = {object_key(item) for item in items}
        gone = [known for key, known in self._items.items() if key not in there]
        return [self._take(known, gone=True) for known in gone] + [
            self._take(item, gone=False) for item in items if self._items.get(object_key(item)) != item
        ]

    def _watch(self, revision: str) -> WatchStream:
        return self._client.watch(self.kind, revision, self._namespace, fields=self._fields)

    def _take(self, obj: Object, *, gone: bool) -> Delta:
        self._own()
        key = object_key(obj)
        old = self._items.pop(key, None) if gone else self._items.get(key)
        for name, indexer in self._indexers.items():
            index = self._indexes[name]
            if old is not None:
                for value in indexer(old):
                    filed = index[value]
                    filed.pop(key, None)
                    if not filed:
                        del index[value]
            if not gone:
                for value in indexer(obj):
                    index.setdefault(value, {})[key] = obj
        if gone:
            return Delta(obj, None)
        self._items[key] = obj
        return Delta(old, obj)

    def _own(self) -> None:
        """Part from the fork with which the copy is shared, before changing it."""
        if self._shared:
            self._items = self._items.copy()
            self._indexes = {
                name: {value: filed.copy() for value, filed in index.items()} for name, index in self._indexes.items()
            }
            self._shared = False


class InformerFactory:
    """The informers of one component: one per collection, shared by all who read it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._informers: dict[ResourceType, Informer] = {}
        #: The revision up to which all informers know everything, and the one at the last look for news.
        self._known, self._asked = -1, -1

    def informer(self, kind: ResourceType, **indexers: Indexer) -> Informer:
        """The informer of a kind, made at the first call; ``indexers`` are added to it."""
        informer = self._informers.get(kind)
        if informer is None:
            informer = self._informers[kind] = Informer(self._client, kind)
        for name, indexer in indexers.items():
            if name not in informer._indexers:
                informer.add_indexer(name, indexer)
        return informer

    def has_news(self) -> bool:
        """Whether a ``sync`` of the informers may bring something: whether anybody has written anything since."""
        if self._client.revision is None:
            return True
        self._asked = self._client.revision()
        return self._asked != self._known

    def caught_up(self) -> None:
        """To be called when all informers have been synced after there were news."""
        if all(informer.watches for informer in self._informers.values()):
            self._known = self._asked

    def fork(self, client: Client) -> InformerFactory:
        """The same informers for a fork of the cluster."""
        twin = InformerFactory(client)
        twin._known = self._known
        twin._informers = {kind: informer.fork(client) for kind, informer in self._informers.items()}
        return twin

    def __iter__(self) -> Iterator[Informer]:
        return iter(self._informers.values())
