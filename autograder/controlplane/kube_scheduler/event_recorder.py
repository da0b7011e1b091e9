"""Events as kube-scheduler writes them: those of ``events.k8s.io``, which know a series instead of a count.

The first time an event is written as it stands; the second time it becomes a series of two.  After that the count is
kept here, and is written when the series is half an hour old or has come to rest for six minutes.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import EVENTS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.client.recorder import reference
from autograder.controlplane.clock import SECOND, Clock

NORMAL: Final = "Normal"
WARNING: Final = "Warning"
NOTE_LIMIT: Final = 1024

REFRESH: Final = 1800 * SECOND
FINISH: Final = 360 * SECOND
TIMER: Final = "events"

Key = tuple[Hashable, ...]


class _Told(NamedTuple):
    """An event that was written: where it stands, how often it happened and when last, and when it was last written."""

    namespace: str
    name: str
    times: int
    last: int
    written: int


class EventRecorder:
    """Writes the events of the scheduler.  ``component`` owns the timer by which series are finished."""

    def __init__(self, client: Client, clock: Clock, component: str, reporter: str, instance: str) -> None:
        self._client = client
        self._clock = clock
        self._component = component
        self._reporter = reporter
        self._instance = instance
        self._told: dict[Key, _Told] = {}
        self._named = 0

    def fork(self, client: Client, clock: Clock) -> EventRecorder:
        """The same recorder, with the same memory, for a fork of the cluster."""
        twin = EventRecorder(client, clock, self._component, self._reporter, self._instance)
        twin._told, twin._named = self._told.copy(), self._named
        return twin

    def event(
        self, regarding: Object, kind: str, reason: str, action: str, note: str, related: Object | None = None
    ) -> None:
        """Tell that ``reason`` happened to an object while the scheduler was at ``action``.

        An event that the API server refuses is lost, as in a real cluster: nothing may depend on events.
        """
        involved = reference(regarding)
        other = reference(related) if related else {}
        key = (kind, reason, action, tuple(involved.items()), tuple(other.items()))
        now = self._clock.now
        told = self._told.get(key)
        if told is None:
            self._create(key, involved, other, kind, reason, action, truncate(note))
            return
        told = told._replace(times=told.times + 1, last=now)
        self._told[key] = told
        if told.times == 2:
            self._write(key, told)

    def tidy(self) -> None:
        """Write series that are due and forget events that have come to rest; called when the timer goes off."""
        now = self._clock.now
        for key, told in list(self._told.items()):
            rested = told.last <= now - FINISH
            if told.times > 1 and (rested or told.written <= now - REFRESH):
                self._write(key, told)
            if rested:
                self._told.pop(key, None)
        self._wait()

    def _create(
        self, key: Key, involved: dict[str, str], other: dict[str, str], kind: str, reason: str, action: str, note: str
    ) -> None:
        now = self._clock.now
        namespace = involved.get("namespace", "default")
        self._named += 1
        name = f"{involved['name']}.{now * 1000 + self._named:x}"
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved,
            "reason": reason,
            "message": note,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": kind,
            "eventTime": timestamps.micro_time(now),
            "action": action,
            "reportingComponent": self._reporter,
            "reportingInstance": self._instance,
        }
        if other:
            event["related"] = other
        try:
            self._client.create(EVENTS, namespace, event)
        except StatusError:
            return
        self._told[key] = _Told(namespace, name, 1, now, now)
        self._wait()

    def _write(self, key: Key, told: _Told) -> None:
        series = {"count": told.times, "lastObservedTime": timestamps.micro_time(told.last)}
        try:
            self._client.patch(EVENTS, told.namespace, told.name, {"series": series})
        except StatusError:
            self._told.pop(key, None)
            return
        self._told[key] = told._replace(written=self._clock.now)

    def _wait(self) -> None:
        if self._told and self._clock.due(self._component, TIMER) is None:
            self._clock.set(self._component, TIMER, self._clock.now + FINISH, periodic=True)


def truncate(note: str) -> str:
    """A note as long as the API takes it."""
    suffix = " ..."
    return note if len(note) <= NOTE_LIMIT else note[: NOTE_LIMIT - len(suffix)] + suffix
