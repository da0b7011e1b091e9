"""etcd: the key-value store with history that everything else is built on."""

from autograder.controlplane.etcd.store import (
    UNREACHABLE,
    Compacted,
    Event,
    KeyValue,
    MemoryStore,
    Store,
    StoreFailure,
    Watch,
    WriteConflict,
)

__all__ = [
    "UNREACHABLE", "Compacted", "Event", "KeyValue", "MemoryStore", "Store", "StoreFailure", "Watch", "WriteConflict",
]  # fmt: skip
