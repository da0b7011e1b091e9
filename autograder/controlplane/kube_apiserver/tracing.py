"""Counting what one request asks of the store; only a request that is traced pays for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.tracing import Cost
from autograder.controlplane.etcd import Event, KeyValue, MemoryStore, Store, Watch


class CountingStore:
    """A store that notes in ``cost`` what is asked of it."""

    def __init__(self, store: Store, cost: Cost) -> None:
        self._store = store
        self._cost = cost

    @property
    def failure(self) -> str:
        return self._store.failure

    @property
    def revision(self) -> int:
        return self._store.revision

    @property
    def compacted(self) -> int:
        return self._store.compacted

    def get(self, key: str) -> KeyValue | None:
        found = self._store.get(key)
        self._cost.reads += 1
        self._cost.objects_read += found is not None
        return found

    def range(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> list[KeyValue]:
        found = self._store.range(prefix, after=after, limit=limit, revision=revision)
        self._cost.reads += 1
        self._cost.objects_read += len(found)
        return found

    def put(self, key: str, value: Any, *, expected: int | None) -> KeyValue:
        kept = self._store.put(key, value, expected=expected)
        self._cost.writes += 1
        self._cost.bytes_stored += size(kept.value)
        return kept

    def delete(self, key: str, *, expected: int | None) -> KeyValue:
        self._cost.writes += 1
        return self._store.delete(key, expected=expected)

    def watch(self, prefix: str, *, after: int) -> Watch:
        return self._store.watch(prefix, after=after)

    def compact(self, revision: int) -> None:
        self._store.compact(revision)

    def history(self, after: int) -> list[Event]:
        return self._store.history(after)

    def keys(self) -> Iterator[str]:
        return self._store.keys()

    def fork(self) -> MemoryStore:
        return self._store.fork()


def size(body: Any) -> int:
    """The bytes of a body as it goes over the wire: text and bytes as they are, anything else as compact JSON."""
    if body is None:
        return 0
    if isinstance(body, bytes):
        return len(body)
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str)
    return len(text.encode("utf-8", "surrogatepass"))
