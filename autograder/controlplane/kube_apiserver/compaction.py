"""Forgetting old history, so that a cluster that runs for days does not grow without end.

Every five minutes kube-apiserver asks etcd to compact up to the revision it had seen five minutes before
(apiserver/pkg/storage/etcd3, ``compact.go``).  A watch that is read now and then never notices; one that has not been
read since ends with 410, and so does a list that goes on from a page as old.
"""

from __future__ import annotations

import logging
from typing import Final

from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.etcd import Store, StoreFailure

INTERVAL: Final = 300 * SECOND
#: The key of the timer; its component is the API server.
KEY: Final = "compact"

log = logging.getLogger(__name__)


class Compactor:
    """Compacts one store by the clock of its cluster; ``seen`` is the revision up to which it will do so next."""

    def __init__(self, store: Store, clock: Clock, component: str) -> None:
        self._store = store
        self._clock = clock
        self._component = component
        self.seen = 0
        if clock.due(component, KEY) is None:  # a fork's clock has the timer already
            self._set_timer()

    def fire(self) -> None:
        """Compact up to what was seen last time, remember what there is now, and set the next timer."""
        try:
            if self.seen:
                self._store.compact(self.seen)
            self.seen = self._store.revision
        except StoreFailure as failure:
            log.warning("etcd was not compacted: %s", failure)
        self._set_timer()

    def _set_timer(self) -> None:
        self._clock.set(self._component, KEY, self._clock.now + INTERVAL, periodic=True)
