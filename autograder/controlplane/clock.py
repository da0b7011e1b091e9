"""Virtual time: one clock per cluster, and the timers that wait for it.

No component reads the wall clock or sleeps.  A component that wants to act later sets a timer, which is data
(component, key, due time) and not a closure, so that a fork of a cluster copies it as it stands.
Times are whole microseconds since the Unix epoch.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Final, NamedTuple

SECOND: Final = 1_000_000

#: When every cluster begins: well before now, so that no client shows an age in the future.
EPOCH: Final = int(datetime(2026, 1, 1, 9, 0, tzinfo=UTC).timestamp()) * SECOND


class Timer(NamedTuple):
    """Something that a component wants to be told at ``due``.

    Timers that are due at the same moment go off in the order in which they were set.  ``periodic`` marks
    heartbeats and the like, for which a waiting client is not made to wait.
    """

    due: int
    order: int
    component: str
    key: Hashable
    periodic: bool


class Clock:
    """The time of one cluster and its pending timers; a timer is known by its component and key."""

    def __init__(self, now: int = EPOCH) -> None:
        self.now = now
        self._order = 0
        self._pending: dict[tuple[str, Hashable], Timer] = {}
        self._heaps: tuple[list[Timer], list[Timer]] = ([], [])

    def fork(self) -> Clock:
        """A clock that goes on from here with the same timers, apart from this one."""
        twin = Clock(self.now)
        twin._order = self._order
        twin._pending = self._pending.copy()
        twin._heaps = (self._heaps[0].copy(), self._heaps[1].copy())
        return twin

    def set(self, component: str, key: Hashable, due: int, *, periodic: bool = False) -> None:
        """Let ``component`` be told ``key`` at ``due``; of two times for one key the last one set counts."""
        self._order += 1
        timer = Timer(max(due, self.now), self._order, component, key, periodic)
        self._pending[component, key] = timer
        heapq.heappush(self._heaps[periodic], timer)

    def due(self, component: str, key: Hashable) -> int | None:
        """When the timer of this key goes off, or None."""
        timer = self._pending.get((component, key))
        return timer.due if timer else None

    def cancel(self, component: str, key: Hashable) -> None:
        """Forget one timer; nothing happens if there is none."""
        self._pending.pop((component, key), None)

    def cancel_all(self, component: str) -> None:
        """Forget every timer of a component (it has been stopped)."""
        for known in [known for known in self._pending if known[0] == component]:
            del self._pending[known]

    def next_due(self, *, periodic: bool = True) -> int | None:
        """When the next timer goes off; with ``periodic=False``, the next one that is no heartbeat."""
        heads = [self._head(heap) for heap in (self._heaps if periodic else self._heaps[:1])]
        return min((head.due for head in heads if head), default=None)

    def pop_due(self) -> Timer | None:
        """Take the next timer that is due now, or None."""
        heads = [head for heap in self._heaps if (head := self._head(heap)) and head.due <= self.now]
        if not heads:
            return None
        timer = min(heads)
        heapq.heappop(self._heaps[timer.periodic])
        del self._pending[timer.component, timer.key]
        return timer

    def _head(self, heap: list[Timer]) -> Timer | None:
        """The first timer of a heap that has been neither cancelled nor set anew."""
        while heap and self._pending.get((heap[0].component, heap[0].key)) is not heap[0]:
            heapq.heappop(heap)
        return heap[0] if heap else None
