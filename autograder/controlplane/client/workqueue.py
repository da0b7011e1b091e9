"""Work queues: what a controller still has to look at, each key once, with delays and back-off.

The rules are client-go's: a key that is added twice is worked on once; a failing key comes back after 5 ms, 10 ms,
20 ms and so on, up to 1000 s, until it is forgotten.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from autograder.controlplane.clock import SECOND, Clock

Key = TypeVar("Key", bound=Hashable)

BASE_DELAY: Final = 5_000
MAX_DELAY: Final = 1000 * SECOND


class WorkQueue(Generic[Key]):
    """Keys in the order of their arrival.  Delayed keys wait as timers of ``(component, (name, key))``.

    Whoever runs the component hands a timer that went off back through ``add``.
    """

    def __init__(
        self, clock: Clock, component: str, name: str, *, base_delay: int = BASE_DELAY, max_delay: int = MAX_DELAY
    ) -> None:
        self._clock = clock
        self._component = component
        self._base_delay, self._max_delay = base_delay, max_delay
        self.name = name
        self._ready: dict[Key, None] = {}
        self._failures: dict[Key, int] = {}

    def fork(self, clock: Clock) -> WorkQueue[Key]:
        """The same queue for a fork of the cluster (its delayed keys are in the fork's clock)."""
        twin: WorkQueue[Key] = WorkQueue(
            clock, self._component, self.name, base_delay=self._base_delay, max_delay=self._max_delay
        )
        twin._ready, twin._failures = self._ready.copy(), self._failures.copy()
        return twin

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, *keys: Key) -> None:
        """Have keys looked at, now."""
        for key in keys:
            self._ready[key] = None

    def add_after(self, key: Key, delay: int, *, periodic: bool = False) -> None:
        """Have the key looked at after ``delay`` microseconds; an earlier appointment stays."""
        if delay <= 0:
            self.add(key)
            return
        due = self._clock.now + delay
        appointed = self._clock.due(self._component, (self.name, key))
        if appointed is None or appointed > due:
            self._clock.set(self._component, (self.name, key), due, periodic=periodic)

    def cancel(self, key: Key) -> None:
        """Forget the key's appointment, if it has one."""
        self._clock.cancel(self._component, (self.name, key))

    def add_rate_limited(self, key: Key) -> None:
        """Have the key looked at again after a failure, later each time."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(self._base_delay << min(failures, 40), self._max_delay))

    def forget(self, key: Key) -> None:
        """The key was worked on without failure; the next failure counts as the first."""
        self._failures.pop(key, None)

    def failures(self, key: Key) -> int:
        """How often the key has failed in a row."""
        return self._failures.get(key, 0)

    def pop(self) -> Key:
        """Take the oldest key; ``KeyError`` when there is none."""
        key = next(iter(self._ready), None)
        if key is None:
            raise KeyError("the queue is empty")
        del self._ready[key]
        return key
