"""etcd: the key-value store with history that everything else is built on."""

from autograder.controlplane.etcd.store import (
    Compacted,
    Event,
    KeyValue,
    MemoryStore,
    Store,
    StoreFailure,
    Watch,
    WriteConflict,
)

__all__ = ["Compacted", "Event", "KeyValue", "MemoryStore", "Store", "StoreFailure", "Watch", "WriteConflict"]
