"""The store in a real etcd v3, so that ``etcdctl`` shows what the cluster holds and its loss can be felt.

As kube-apiserver does, it reads from a cache: a copy of all keys that a watch on etcd keeps up to date, with the
history that watches of clients replay.  Writes are transactions in etcd, and are in the copy before the write returns;
what others write (``etcdctl put``) is in it as soon as etcd has said so.  Revisions are etcd's own; what there was
before the copy was made is read from etcd.

While etcd is away every read and write raises ``StoreFailure`` with the words of Kubernetes; watches stay open.  When
it is back the watch goes on after the last revision seen, so that nothing is lost.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.etcd.gateway import ALL, PATIENCE, TIMED_OUT, Batch, Feed, Gateway, decode, encode
from autograder.controlplane.etcd.store import (
    Compacted,
    Event,
    KeyValue,
    MemoryStore,
    MemoryWatch,
    StoreFailure,
    Value,
    WriteConflict,
)

_ROOT: Final = "/registry/"

log = logging.getLogger(__name__)


class EtcdStore:
    """The store in the etcd at ``http://host:port``; raises ``StoreFailure`` when that does not answer.

    ``stamp`` puts a revision into a value as it is read, ``bare`` takes it out as it is written.  ``close`` ends the
    watch on etcd.
    """

    def __init__(
        self, host: str, port: int, stamp: Callable[[Value, int], Value], bare: Callable[[Value], Value]
    ) -> None:
        self._etcd = Gateway(host, port)
        self._stamp = stamp
        self._bare = bare
        self._copy = MemoryStore(stamp)
        self._load()
        self._copy.compact(self._copy.revision)
        self._feed = Feed(Gateway(host, port), self._copy.revision)

    def close(self) -> None:
        """End the watch on etcd; the store is of no use afterwards."""
        self._feed.close()
        self._etcd.close()

    @property
    def failure(self) -> str:
        return self._feed.failure

    @property
    def revision(self) -> int:
        self._take_in()
        return self._copy.revision

    @property
    def compacted(self) -> int:
        return self._copy.compacted

    def get(self, key: str) -> KeyValue | None:
        return self._read().get(key)

    def range(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> list[KeyValue]:
        copy = self._read()
        if revision and revision < copy.compacted:
            return self._past(prefix, after, revision)[: limit or None]
        return copy.range(prefix, after=after, limit=limit, revision=revision)

    def history(self, after: int) -> list[Event]:
        return self._read().history(after)

    def keys(self) -> Iterator[str]:
        return self._read().keys()

    def fork(self) -> MemoryStore:
        self._take_in()
        return self._copy.fork()

    def watch(self, prefix: str, *, after: int) -> EtcdWatch:
        self._take_in()
        return EtcdWatch(self._copy.watch(prefix, after=after), self._take_in)

    def put(self, key: str, value: Value, *, expected: int | None) -> KeyValue:
        text = json.dumps(self._bare(value), separators=(",", ":"))
        revision = self._commit(key, expected, {"request_put": {"key": encode(key), "value": encode(text)}})
        kept = self._happened(key, value, revision).now
        assert kept is not None
        return kept

    def delete(self, key: str, *, expected: int | None) -> KeyValue:
        revision = self._commit(key, expected, {"request_delete_range": {"key": encode(key)}}, must_exist=True)
        before = self._happened(key, None, revision).before
        assert before is not None
        return before._replace(value=self._stamp(before.value, revision), mod_revision=revision)

    def compact(self, revision: int) -> None:
        try:
            self._etcd.ask("/kv/compaction", {"revision": str(revision)})
        except StoreFailure as failure:
            if "has been compacted" not in str(failure):
                raise
        self._copy.compact(revision)

    # ------------------------------------------------------------ writing

    def _commit(self, key: str, expected: int | None, request: Mapping[str, Any], *, must_exist: bool = False) -> int:
        """Let etcd do a write if the key is as expected; gives its revision, or raises ``WriteConflict``."""
        compare: list[dict[str, Any]] = []
        if expected is not None:
            compare.append({"target": "MOD", "result": "EQUAL", "mod_revision": str(expected)})
        if must_exist:
            compare.append({"target": "VERSION", "result": "GREATER", "version": "0"})
        found = {"request_range": {"key": encode(key)}}
        answer = self._etcd.ask(
            "/kv/txn",
            {"compare": [{"key": encode(key), **one} for one in compare], "success": [request], "failure": [found]},
        )
        if not answer.get("succeeded"):
            there = answer["responses"][0]["response_range"].get("kvs", ())
            raise WriteConflict(key, self._key_value(there[0]) if there else None)
        return int(answer["header"]["revision"])

    def _happened(self, key: str, value: Value | None, revision: int) -> Event:
        """The event of a write of our own, which the copy has afterwards."""
        self._take_in()
        if revision > self._copy.revision + 1:
            self._await(revision)
        elif revision > self._copy.revision:
            before = self._copy.get(key)
            self._copy.record(Event(revision, key, None if value is None else self._next(key, value, revision), before))
        return self._copy.watch(key, after=revision - 1).poll()[0]

    def _await(self, revision: int) -> None:
        """Take in what others have written meanwhile, up to a revision."""
        while self._copy.revision < revision:
            batch = self._feed.next(PATIENCE)
            if batch is None:
                raise StoreFailure(TIMED_OUT)
            self._take(batch)

    def _next(self, key: str, value: Value, revision: int) -> KeyValue:
        before = self._copy.get(key)
        created, version = (before.create_revision, before.version + 1) if before else (revision, 1)
        return KeyValue(key, self._stamp(value, revision), created, revision, version)

    # ------------------------------------------------------------ reading

    def _read(self) -> MemoryStore:
        self._take_in()
        if self._feed.failure:
            raise StoreFailure(self._feed.failure)
        return self._copy

    def _past(self, prefix: str, after: str, revision: int) -> list[KeyValue]:
        """Keys as they stood at a revision of which the copy knows nothing; raises ``Compacted`` if etcd neither."""
        first = f"{after}\0" if after else prefix or "\0"
        end = f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}" if prefix else "\0"
        question = {"key": encode(first), "range_end": encode(end), "revision": str(revision)}
        try:
            answer = self._etcd.ask("/kv/range", question)
        except StoreFailure as failure:
            if "has been compacted" in str(failure):
                raise Compacted(revision, self._copy.compacted) from failure
            raise
        found = (one for one in answer.get("kvs", ()) if decode(one["key"]).startswith(_ROOT))
        return [kept for kept in map(self._key_value, found) if kept is not None]

    def _take_in(self) -> None:
        """Bring the copy up to what etcd has told so far."""
        while (batch := self._feed.next()) is not None:
            self._take(batch)

    def _take(self, batch: Batch) -> None:
        if batch.compacted:
            self._load()
            self._feed.resume(self._copy.revision)
            return
        known = self._copy.revision
        for event in batch.events:
            found = event["kv"]
            revision = int(found["mod_revision"])
            if revision > known:
                self._record(decode(found["key"]), revision, found if event.get("type") != "DELETE" else None)

    def _record(self, key: str, revision: int, found: Mapping[str, Any] | None) -> None:
        before = self._copy.get(key)
        now = self._key_value(found) if found and key.startswith(_ROOT) else None
        if now is None and (before is None or found):
            self._copy.skip_to(revision)
        else:
            self._copy.record(Event(revision, key, now, before))

    def _load(self) -> None:
        """Bring the copy up to date by reading everything; of what happened on the way only the outcome is known."""
        answer = self._etcd.ask("/kv/range", ALL)
        revision = int(answer["header"]["revision"])
        if revision < self._copy.revision:
            raise StoreFailure(f"etcd is at revision {revision}, and was at {self._copy.revision}: it has lost data")
        there = {decode(found["key"]): found for found in answer.get("kvs", ())}
        for key, found in sorted(there.items(), key=lambda item: int(item[1]["mod_revision"])):
            if int(found["mod_revision"]) > self._copy.revision:
                self._record(key, int(found["mod_revision"]), found)
        gone = set(self._copy.keys()).difference(there)
        for key in sorted(gone):
            self._record(key, revision, None)
        self._copy.skip_to(revision)

    def _key_value(self, found: Mapping[str, Any]) -> KeyValue | None:
        """What etcd says of a key; None, with a word in the log, for a value that is no object."""
        key, revision = decode(found["key"]), int(found["mod_revision"])
        try:
            value = self._stamp(json.loads(decode(found.get("value", ""))), revision)
        except (ValueError, TypeError, KeyError, RecursionError):
            log.warning("etcd holds no object at %s", key)
            return None
        return KeyValue(key, value, int(found["create_revision"]), revision, int(found["version"]))


class EtcdWatch:
    """A position in the copy's history; etcd is asked for news before each look at it."""

    def __init__(self, watch: MemoryWatch, take_in: Callable[[], None]) -> None:
        self._watch = watch
        self._take_in = take_in

    @property
    def revision(self) -> int:
        return self._watch.revision

    def waiting(self) -> bool:
        self._take_in()
        return self._watch.waiting()

    def poll(self) -> list[Event]:
        self._take_in()
        return self._watch.poll()
