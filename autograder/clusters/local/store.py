"""The etcd of a local cluster, as ``etcdctl`` in its simulated container reads it."""

from __future__ import annotations

import importlib.util
import threading
from typing import TYPE_CHECKING, Final

from autograder.controlplane.etcd import Store
from autograder.controlplane.etcd.store import StoreFailure
from autograder.controlplane.kube_apiserver.backend import bare, stamp

if TYPE_CHECKING:
    from autograder.controlplane.etcd.remote import EtcdStore

#: Seconds without a question after which the connection is given up: it remembers all that happens meanwhile.
IDLE: Final = 60.0
#: The client of etcd, which is an extra.
_CLIENT: Final = "etcd3gw"


class EtcdOnDemand:
    """A way to the etcd at ``host:port``, opened when it is first asked for; belongs to one thread at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._store: EtcdStore | None = None
        self._opening = threading.Lock()
        self._idle: threading.Timer | None = None

    def __call__(self) -> Store | None:
        """The store; None while it does not answer, or where there is no client for it."""
        if importlib.util.find_spec(_CLIENT) is None:
            return None
        with self._opening:
            if self._store is None:
                from autograder.controlplane.etcd.remote import EtcdStore

                try:
                    self._store = EtcdStore(self._host, self._port, stamp, bare)
                except StoreFailure:
                    return None
            self._wait()
            return self._store

    def close(self) -> None:
        """End the connection."""
        with self._opening:
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
            if self._store is not None:
                self._store.close()
                self._store = None

    def _wait(self) -> None:
        """Give the connection so much longer."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = threading.Timer(IDLE, self.close)
        self._idle.daemon = True
        self._idle.start()
