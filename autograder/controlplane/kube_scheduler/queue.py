"""Which pod is next, and when pods that fit nowhere are tried again.

``active`` holds pods to be looked at now, by priority and age; ``backoff`` those to be tried again that have only just
failed; ``unschedulable`` those that wait for something to change, and gated ones.  A pod that was turned away comes
back when an event happens that a plugin which turned it away takes interest in, or after five minutes.

The back-off is 1 s, 2 s, 4 s up to 10 s.  As since v1.33, the scheduler does not sit idle because of it: with no pod
active it takes the one that has waited longest in back-off - unless an error (and no plugin) was to blame.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.kube_scheduler.events import ClusterEvent
from autograder.controlplane.kube_scheduler.node_info import PodInfo
from autograder.controlplane.kube_scheduler.status import Status

INITIAL_BACKOFF: Final = SECOND
MAX_BACKOFF: Final = 10 * SECOND
WINDOW: Final = SECOND
LEFTOVER_AGE: Final = 300 * SECOND
LEFTOVER_TICK: Final = 30 * SECOND
BACKOFF_TIMER: Final = "backoff"
LEFTOVER_TIMER: Final = "leftover"

#: How a pod stands in a heap: its rank, the number of the entry, its key.
Entry = tuple[tuple[int, ...], int, str]

PreEnqueue = Callable[[PodInfo, str], tuple[str, Status] | None]
Worth = Callable[["QueuedPod", ClusterEvent], bool]
Concerns = Callable[[frozenset[str], ClusterEvent], bool]


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


class Unschedulable(dict[str, QueuedPod]):
    """Pods that wait for something to change, and by which plugins how many of them were rejected."""

    def __init__(self, pods: Mapping[str, QueuedPod] | None = None) -> None:
        super().__init__(pods or {})
        self.rejections: dict[frozenset[str], int] = {}
        for queued in self.values():
            self._count(queued, 1)

    def put(self, queued: QueuedPod) -> None:
        """Add a pod, or replace it where it stands."""
        known = self.get(queued.pod.key)
        if known is not None:
            self._count(known, -1)
        self._count(queued, 1)
        self[queued.pod.key] = queued

    def remove(self, key: str) -> None:
        """Take a pod out; nothing happens if it is not there."""
        known = self.pop(key, None)
        if known is not None:
            self._count(known, -1)

    def _count(self, queued: QueuedPod, by: int) -> None:
        count = self.rejections.pop(queued.rejected_by, 0) + by
        if count:
            self.rejections[queued.rejected_by] = count


class SchedulingQueue:
    """The pending pods of one scheduler.  ``pre_enqueue`` asks the plugins that may gate a pod."""

    def __init__(self, clock: Clock, component: str, pre_enqueue: PreEnqueue) -> None:
        self._clock = clock
        self._component = component
        self._pre_enqueue = pre_enqueue
        self.active: dict[str, QueuedPod] = {}
        self.backoff: dict[str, QueuedPod] = {}
        self.error_backoff: dict[str, QueuedPod] = {}
        self.unschedulable = Unschedulable()
        self._heap: list[Entry] = []
        self._backoff_heap: list[Entry] = []
        self._orders: dict[str, int] = {}
        self._order = 0

    def fork(self, clock: Clock, pre_enqueue: PreEnqueue) -> SchedulingQueue:
        """The same queue for a fork of the cluster."""
        twin = SchedulingQueue(clock, self._component, pre_enqueue)
        twin.active, twin.backoff = self.active.copy(), self.backoff.copy()
        twin.error_backoff, twin.unschedulable = self.error_backoff.copy(), Unschedulable(self.unschedulable)
        twin._heap, twin._backoff_heap = self._heap.copy(), self._backoff_heap.copy()
        twin._orders, twin._order = self._orders.copy(), self._order
        return twin

    def __len__(self) -> int:
        return len(self.active) + len(self.backoff) + len(self.error_backoff) + len(self.unschedulable)

    @property
    def ready(self) -> bool:
        """Whether there is a pod to look at now."""
        return bool(self.active or self.backoff)

    def get(self, key: str) -> QueuedPod | None:
        """A pending pod, wherever it waits."""
        waiting: tuple[dict[str, QueuedPod], ...] = (self.active, self.backoff, self.error_backoff, self.unschedulable)
        return next((pods[key] for pods in waiting if key in pods), None)

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
        queued = replace(self.unschedulable[pod.key], pod=pod)
        self.unschedulable.put(queued)
        for event in events:
            if worth(queued, event):
                self._requeue(queued)
                if pod.key not in self.unschedulable:
                    return

    def delete(self, key: str) -> None:
        """A pod is no longer pending."""
        for waiting in (self.active, self.backoff, self.error_backoff):
            waiting.pop(key, None)
        self.unschedulable.remove(key)
        self._orders.pop(key, None)

    def pop(self) -> QueuedPod | None:
        """The next pod to look at, or None."""
        return self._pop(self._heap, self.active) or self._pop(self._backoff_heap, self.backoff)

    def add_unschedulable(self, queued: QueuedPod, rejected_by: frozenset[str]) -> None:
        """A pod that was tried comes back; ``rejected_by`` is empty when something went wrong instead."""
        now = self._clock.now
        if rejected_by:
            queued = replace(queued, timestamp=now, rejections=queued.rejections + 1, errors=0, rejected_by=rejected_by)
            self._park(queued)
        else:
            queued = replace(queued, timestamp=now, errors=queued.errors + 1, rejected_by=rejected_by)
            self._requeue(queued)

    def move(
        self, event: ClusterEvent, concerns: Concerns, worth: Worth, only: Callable[[PodInfo], bool] | None = None
    ) -> None:
        """Something happened: let every pod try again for which that may matter.

        ``concerns`` says whether an event is any concern of certain plugins; so most pods need not be asked.
        """
        concerned = {plugins for plugins in self.unschedulable.rejections if concerns(plugins, event)}
        if not concerned:
            return
        for queued in list(self.unschedulable.values()):
            if queued.rejected_by in concerned and (only is None or only(queued.pod)) and worth(queued, event):
                self._requeue(queued)

    def flush_backoff(self) -> None:
        """Let pods try again whose back-off after an error is over."""
        window = self._clock.now // WINDOW * WINDOW
        ready = [queued for queued in self.error_backoff.values() if queued.backoff_until < window]
        for queued in sorted(ready, key=lambda one: one.backoff_until):
            del self.error_backoff[queued.pod.key]
            self._push(queued)
        for queued in self.error_backoff.values():
            self._wait_for_backoff(queued)

    def flush_leftover(self) -> None:
        """Let pods try again that have waited for five minutes."""
        now = self._clock.now
        for queued in list(self.unschedulable.values()):
            if now - queued.timestamp > LEFTOVER_AGE and not queued.gated_by:
                self._requeue(queued)
        self._wait_for_leftover()

    def _pop(self, heap: list[Entry], waiting: dict[str, QueuedPod]) -> QueuedPod | None:
        while heap:
            _, order, key = heapq.heappop(heap)
            if self._orders.get(key) == order:
                del self._orders[key]
                queued = waiting.pop(key)
                return replace(queued, attempts=queued.attempts + 1)
        return None

    def _requeue(self, queued: QueuedPod) -> None:
        if queued.backoff_until < self._clock.now // WINDOW * WINDOW:
            self._activate(queued)
            return
        queued = self._gate(queued)
        if queued.gated_by:
            self._park(queued)
            return
        self.unschedulable.remove(queued.pod.key)
        if queued.rejected_by:
            self.backoff[queued.pod.key] = queued
            self._enter(self._backoff_heap, (queued.backoff_until, *_rank(queued)), queued.pod.key)
        else:
            self.error_backoff[queued.pod.key] = queued
            self._wait_for_backoff(queued)

    def _activate(self, queued: QueuedPod) -> None:
        queued = self._gate(queued)
        if queued.gated_by:
            self._park(queued)
        else:
            self.unschedulable.remove(queued.pod.key)
            self._push(queued)

    def _gate(self, queued: QueuedPod) -> QueuedPod:
        gate = self._pre_enqueue(queued.pod, queued.gated_by)
        if gate is None:
            return replace(queued, gated_by="") if queued.gated_by else queued
        plugin, _ = gate
        return replace(queued, gated_by=plugin, rejected_by=queued.rejected_by | {plugin})

    def _push(self, queued: QueuedPod) -> None:
        self.active[queued.pod.key] = queued
        self._enter(self._heap, _rank(queued), queued.pod.key)

    def _enter(self, heap: list[Entry], rank: tuple[int, ...], key: str) -> None:
        """Enter a pod in a heap; its earlier entries in any of them are void from now on."""
        self._order += 1
        self._orders[key] = self._order
        heapq.heappush(heap, (rank, self._order, key))

    def _park(self, queued: QueuedPod) -> None:
        self.unschedulable.put(queued)
        self._wait_for_leftover()

    def _wait_for_backoff(self, queued: QueuedPod) -> None:
        due = queued.backoff_until + WINDOW
        appointed = self._clock.due(self._component, BACKOFF_TIMER)
        if appointed is None or due < appointed:
            self._clock.set(self._component, BACKOFF_TIMER, due)

    def _wait_for_leftover(self) -> None:
        if self._clock.due(self._component, LEFTOVER_TIMER) is None:
            ages = [queued.timestamp for queued in self.unschedulable.values() if not queued.gated_by]
            if ages:
                due = (min(ages) + LEFTOVER_AGE) // LEFTOVER_TICK * LEFTOVER_TICK + LEFTOVER_TICK
                self._clock.set(self._component, LEFTOVER_TIMER, due, periodic=True)


def _rank(queued: QueuedPod) -> tuple[int, int]:
    """Pods of higher priority first, then those that have waited longer."""
    return -queued.pod.priority, queued.timestamp
