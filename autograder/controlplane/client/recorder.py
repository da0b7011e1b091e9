"""Events: a component tells what it did, and equal or alike tellings are counted rather than repeated.

The rules are client-go's event correlator: the same event again raises ``count``; from the tenth different message of
one object, type and reason within ten minutes they are combined into one event; and an object that has used up a burst
of 25 gets one more event every five minutes.
"""

from __future__ import annotations

import zlib
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import EVENTS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.client import Client
from autograder.controlplane.clock import SECOND, Clock

COMBINE_FROM: Final = 10
COMBINE_WITHIN: Final = 600 * SECOND
BURST: Final = 25
REFILL: Final = 300 * SECOND
COMBINED_PREFIX: Final = "(combined from similar events): "

Subject = tuple[str, ...]


class _Told(NamedTuple):
    """An event that stands in the API: its name, and how often it was told."""

    name: str
    times: int


class _Alike(NamedTuple):
    """The different messages that one subject's reason came with, and when the last one came."""

    messages: tuple[str, ...]
    last: int


class _Tokens(NamedTuple):
    """What an object has left of its burst."""

    left: float
    at: int


class EventRecorder:
    """Writes the events of one component; ``host`` is the node on which it runs, if it is one per node."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = "") -> None:
        self._client = client
        self._clock = clock
        self.component = component
        self._host = host
        self._told: dict[Subject, _Told] = {}
        self._alike: dict[Subject, _Alike] = {}
        self._tokens: dict[Subject, _Tokens] = {}
        # Recorders of other components name events of the same object at the same moment: each counts from elsewhere.
        self._named = zlib.crc32(component.encode())

    def fork(self, client: Client, clock: Clock) -> EventRecorder:
        """The same recorder, with the same memory, for a fork of the cluster."""
        twin = EventRecorder(client, clock, self.component, self._host)
        twin.remember(self)
        return twin

    def remember(self, other: EventRecorder) -> None:
        """Take over what another recorder has told so far."""
        self._told, self._alike, self._tokens = other._told.copy(), other._alike.copy(), other._tokens.copy()
        self._named = other._named

    def event(self, obj: Object, kind: str, reason: str, message: str, *, field_path: str = "", host: str = "") -> None:
        """Tell that ``reason`` happened to an object; ``kind`` is Normal or Warning.

        An event that the API server refuses is lost, as in a real cluster: nothing may depend on events.
        """
        involved = reference(obj, field_path)
        host = host or self._host
        subject: Subject = (self.component, host, *(part for key, part in involved.items() if key != "resourceVersion"))
        if not self._has_token(subject):
            return
        key = self._correlate(subject, kind, reason, message)
        if not key[-1]:
            message = COMBINED_PREFIX + message
        now = timestamps.time(self._clock.now)
        told = self._told.get(key)
        try:
            if told:
                count = told.times + 1
                change = {"count": count, "lastTimestamp": now, "message": message}
                self._client.patch(EVENTS, _namespace(involved), told.name, change)
                self._told[key] = told._replace(times=count)
                return
            name = self._name(involved["name"])
            self._create(name, involved, kind, reason, message, host)
            self._told[key] = _Told(name, 1)
        except StatusError:
            self._told.pop(key, None)

    def _create(self, name: str, involved: Object, kind: str, reason: str, message: str, host: str) -> None:
        """Write the first event of its key."""
        now, namespace = timestamps.time(self._clock.now), _namespace(involved)
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "source": {"component": self.component, "host": host} if host else {"component": self.component},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": kind,
            "eventTime": None,
            "reportingComponent": self.component,
            "reportingInstance": host,
        }
        self._client.create(EVENTS, namespace, event)

    def _correlate(self, subject: Subject, kind: str, reason: str, message: str) -> Subject:
        """The key under which this event is counted; its last part is the message, or '' for combined ones."""
        family = (*subject, kind, reason)
        alike = self._alike.get(family)
        if alike is None or self._clock.now - alike.last > COMBINE_WITHIN:
            alike = _Alike((), 0)
        messages = alike.messages if message in alike.messages else (*alike.messages, message)
        combined = len(messages) >= COMBINE_FROM
        self._alike[family] = _Alike(messages[1:] if combined else messages, self._clock.now)
        return (*family, "" if combined else message)

    def _has_token(self, subject: Subject) -> bool:
        tokens = self._tokens.get(subject, _Tokens(BURST, self._clock.now))
        left = min(BURST, tokens.left + (self._clock.now - tokens.at) / REFILL)
        self._tokens[subject] = _Tokens(left - 1 if left >= 1 else left, self._clock.now)
        return left >= 1

    def _name(self, involved: str) -> str:
        """``<object>.<nanoseconds in hex>``; the counter keeps events of one virtual moment apart."""
        self._named += 1
        return f"{involved}.{self._clock.now * 1000 + self._named:x}"


def reference(obj: Object, field_path: str = "") -> dict[str, str]:
    """An ``ObjectReference`` to an object, as events carry it."""
    meta = obj["metadata"]
    parts = {
        "kind": obj["kind"],
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta.get("uid", ""),
        "apiVersion": obj["apiVersion"],
        "resourceVersion": meta.get("resourceVersion", ""),
        "fieldPath": field_path,
    }
    return {key: value for key, value in parts.items() if value}


def _namespace(involved: dict[str, str]) -> str:
    return involved.get("namespace", "default")
