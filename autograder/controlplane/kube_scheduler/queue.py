"""Which pod is next, and when pods that fit nowhere are tried again.

``active`` holds pods to be looked at now, by priority and age; ``backoff`` those to be tried again that have only just
failed; ``unschedulable`` those that wait for something to change, and gated ones.  A pod that was turned away comes
back when an event happens that a plugin which turned it away takes interest in, or after five minutes.

The back-off is 1 s, 2 s, 4 s up to 10 s.  As since v1.33, the scheduler does not sit idle because of it: with no pod
active it takes the one that has waited longest in back-off - unless an error (and no plugin) was to blame.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.kube_scheduler.interface import ClusterEvent, Status
from autograder.controlplane.kube_scheduler.node_info import PodInfo

INITIAL_BACKOFF: Final = SECOND
MAX_BACKOFF: Final = 10 * SECOND
WINDOW: Final = SECOND
LEFTOVER_AGE: Final = 300 * SECOND
LEFTOVER_TICK: Final = 30 * SECOND
BACKOFF_TIMER: Final = "backoff"
LEFTOVER_TIMER: Final = "leftover"

PreEnqueue = Callable[[PodInfo, str], tuple[str, Status] | None]
Worth = Callable[["QueuedPod", ClusterEvent], bool]


@dataclass(frozen=True, slots=True)
class QueuedPod:
    """A pending pod and the story of its tries.  Times are microseconds since the epoch.

    ``rejected_by`` names the plugins that turned it away last time, ``gated_by`` the one that keeps it out altogether.
    """

    pod: PodInfo
    timestamp: int
    attempts: int = 0
    rejections: int = 0
    errors: int = 0
    rejected_by: frozenset[str] = frozenset()
    gated_by: str = ""

    @property
    def backoff_until(self) -> int:
        """When the back-off ends, as the start of a window of one second; 0 if there is none."""
        count = self.errors or self.rejections
        if not count:
            return 0
        delay = min(INITIAL_BACKOFF << min(count - 1, 10), MAX_BACKOFF)
        return (self.timestamp + delay) // WINDOW * WINDOW


class SchedulingQueue:
    """The pending pods of one scheduler.  ``pre_enqueue`` asks the plugins that may gate a pod."""

    def __init__(self, clock: Clock, component: str, pre_enqueue: PreEnqueue) -> None:
        self._clock = clock
        self._component = component
        self._pre_enqueue = pre_enqueue
        self.active: dict[str, QueuedPod] = {}
        self.backoff: dict[str, QueuedPod] = {}
        self.error_backoff: dict[str, QueuedPod] = {}
        self.unschedulable: dict[str, QueuedPod] = {}
        self._heap: list[tuple[int, int, int, str]] = []
        self._orders: dict[str, int] = {}
        self._order = 0

    def fork(self, clock: Clock, pre_enqueue: PreEnqueue) -> SchedulingQueue:
        """The same queue for a fork of the cluster."""
        twin = SchedulingQueue(clock, self._component, pre_enqueue)
        twin.active, twin.backoff = self.active.copy(), self.backoff.copy()
        twin.error_backoff, twin.unschedulable = self.error_backoff.copy(), self.unschedulable.copy()
        twin._heap, twin._orders, twin._order = self._heap.copy(), self._orders.copy(), self._order
        return twin

    def __len__(self) -> int:
        return len(self.active) + len(self.backoff) + len(self.error_backoff) + len(self.unschedulable)

    def get(self, key: str) -> QueuedPod | None:
        """A pending pod, wherever it waits."""
        for waiting in (self.active, self.backoff, self.error_backoff, self.unschedulable):
            if key in waiting:
                return waiting[key]
        return None

    def add(self, pod: PodInfo) -> None:
        """A new pending pod."""
        self._activate(QueuedPod(pod, self._clock.now))

    def update(self, pod: PodInfo, events: Iterable[ClusterEvent], worth: Worth) -> None:
        """A pending pod changed; one that was turned away may be worth another try."""
        for waiting in (self.active, self.backoff, self.error_backoff):
            if pod.key in waiting:
                waiting[pod.key] = replace(waiting[pod.key], pod=pod)
                return
        if pod.key not in self.unschedulable:
            self.add(pod)
            return
        queued = self.unschedulable[pod.key] = replace(self.unschedulable[pod.key], pod=pod)
        for event in events:
            if worth(queued, event):
                self._requeue(queued)
                if pod.key not in self.unschedulable:
                    return

    def delete(self, key: str) -> None:
        """A pod is no longer pending."""
        for waiting in (self.active, self.backoff, self.error_backoff, self.unschedulable):
            waiting.pop(key, None)
        self._orders.pop(key, None)

    def pop(self) -> QueuedPod | None:
        """The next pod to look at, or None."""
        while self._heap:
            *_, order, key = heapq.heappop(self._heap)
            if self._orders.get(key) == order:
                del self._orders[key]
                queued = self.active.pop(key)
                return replace(queued, attempts=queued.attempts + 1)
        if self.backoff:
            key = min(self.backoff, key=lambda one: (self.backoff[one].backoff_until, *_rank(self.backoff[one])))
            queued = self.backoff.pop(key)
            return replace(queued, attempts=queued.attempts + 1)
        return None

    def add_unschedulable(self, queued: QueuedPod, rejected_by: frozenset[str]) -> None:
        """A pod that was tried comes back; ``rejected_by`` is empty when something went wrong instead."""
        now = self._clock.now
        if rejected_by:
            queued = replace(
                queued, timestamp=now, rejections=queued.rejections + 1, errors=0, rejected_by=rejected_by
            )
            self._park(queued)
        else:
            queued = replace(queued, timestamp=now, errors=queued.errors + 1, rejected_by=rejected_by)
            self._requeue(queued)

    def move(self, event: ClusterEvent, worth: Worth, only: Callable[[PodInfo], bool] | None = None) -> None:
        """Something happened: let every pod try again for which that may matter."""
        for queued in list(self.unschedulable.values()):
            if (only is None or only(queued.pod)) and worth(queued, event):
                self._requeue(queued)

    def flush_backoff(self) -> None:
        """Let pods try again whose back-off after an error is over."""
        window = self._clock.now // WINDOW * WINDOW
        ready = [queued for queued in self.error_backoff.values() if queued.backoff_until < window]
        for queued in sorted(ready, key=lambda one: one.backoff_until):
            del self.error_backoff[queued.pod.key]
            self._push(queued)
        self._wait_for_backoff()

    def flush_leftover(self) -> None:
        """Let pods try again that have waited for five minutes."""
        now = self._clock.now
        for queued in list(self.unschedulable.values()):
            if now - queued.timestamp > LEFTOVER_AGE and not queued.gated_by:
                self._requeue(queued)
        self._wait_for_leftover()

    def _requeue(self, queued: QueuedPod) -> None:
        if queued.backoff_until < self._clock.now // WINDOW * WINDOW:
            self._activate(queued)
            return
        queued = self._gate(queued)
        if queued.gated_by:
            self._park(queued)
            return
        self.unschedulable.pop(queued.pod.key, None)
        if queued.rejected_by:
            self.backoff[queued.pod.key] = queued
        else:
            self.error_backoff[queued.pod.key] = queued
            self._wait_for_backoff()

    def _activate(self, queued: QueuedPod) -> None:
        queued = self._gate(queued)
        if queued.gated_by:
            self._park(queued)
        else:
            self.unschedulable.pop(queued.pod.key, None)
            self._push(queued)

    def _gate(self, queued: QueuedPod) -> QueuedPod:
        gate = self._pre_enqueue(queued.pod, queued.gated_by)
        if gate is None:
            return replace(queued, gated_by="") if queued.gated_by else queued
        plugin, _ = gate
        return replace(queued, gated_by=plugin, rejected_by=queued.rejected_by | {plugin})

    def _push(self, queued: QueuedPod) -> None:
        self._order += 1
        self._orders[queued.pod.key] = self._order
        self.active[queued.pod.key] = queued
        heapq.heappush(self._heap, (*_rank(queued), self._order, queued.pod.key))

    def _park(self, queued: QueuedPod) -> None:
        self.unschedulable[queued.pod.key] = queued
        self._wait_for_leftover()

    def _wait_for_backoff(self) -> None:
        if self.error_backoff:
            first = min(queued.backoff_until for queued in self.error_backoff.values())
            self._clock.set(self._component, BACKOFF_TIMER, first + WINDOW)

    def _wait_for_leftover(self) -> None:
        if self._clock.due(self._component, LEFTOVER_TIMER) is None:
            ages = [queued.timestamp for queued in self.unschedulable.values() if not queued.gated_by]
            if ages:
                due = (min(ages) + LEFTOVER_AGE) // LEFTOVER_TICK * LEFTOVER_TICK + LEFTOVER_TICK
                self._clock.set(self._component, LEFTOVER_TIMER, due, periodic=True)


def _rank(queued: QueuedPod) -> tuple[int, int]:
    """Pods of higher priority first, then those that have waited longer."""
    return -queued.pod.priority, queued.timestamp
