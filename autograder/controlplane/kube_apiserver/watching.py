"""A watch as clients see it: the store's events, narrowed by selectors and turned into ADDED, MODIFIED and DELETED.

An object that begins to match a selector is ADDED for that watch and one that no longer does is DELETED, as it last
matched, whatever happened to it in the store.  A client that asks for bookmarks is told now and then up to which
revision it is informed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from autograder.controlplane.apimachinery.errors import Expired
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, WatchEvent, WatchStream
from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.etcd import Compacted, Watch
from autograder.controlplane.kube_apiserver.backend import stamp

Matches = Callable[[Object], bool]


class Bookmarks:
    """When one watch is due a bookmark: a minute of virtual time after the last, as in apiserver's watch cache."""

    INTERVAL: Final = 60 * SECOND

    def __init__(self, kind: ResourceType, clock: Clock) -> None:
        self._kind = kind
        self._clock = clock
        self._next = clock.now + self.INTERVAL

    def due(self) -> bool:
        """Whether it is time for one."""
        return self._clock.now >= self._next

    def take(self, revision: int) -> WatchEvent:
        """The bookmark of a revision; the next one is due in a minute."""
        self._next = self._clock.now + self.INTERVAL
        return bookmark(self._kind, {"resourceVersion": str(revision)})


class ApiWatch:
    """One watch of one client: what there was, if the client asked for it, then what happens."""

    def __init__(
        self,
        events: Watch,
        matches: Matches | None,
        initial: Sequence[WatchEvent] = (),
        bookmarks: Bookmarks | None = None,
    ) -> None:
        self._events = events
        self._matches = matches
        self._initial = list(initial)
        self._bookmarks = bookmarks

    #: Only a watch with a time limit ends by itself.
    ended = False

    @property
    def revision(self) -> int:
        return self._events.revision

    def waiting(self) -> bool:
        if self._initial or self._events.waiting():
            return True
        return self._bookmarks is not None and self._bookmarks.due()

    def poll(self) -> list[WatchEvent]:
        found = self._poll()
        if self._bookmarks is not None and self._bookmarks.due() and not (found and found[-1].type == "ERROR"):
            found.append(self._bookmarks.take(self._events.revision))
        return found

    def _poll(self) -> list[WatchEvent]:
        found, self._initial = self._initial, []
        try:
            events = self._events.poll()
        except Compacted as gone:
            error = Expired(f"too old resource version: {gone.asked} ({gone.oldest})")
            return [*found, WatchEvent("ERROR", error.status())]
        matches = self._matches
        for event in events:
            now, before = event.now, event.before
            if now is not None:
                is_in = matches is None or matches(now.value)
                was_in = before is not None and (matches is None or matches(before.value))
                if is_in:
                    found.append(WatchEvent("MODIFIED" if was_in else "ADDED", now.value))
                elif was_in and before is not None:
                    found.append(WatchEvent("DELETED", stamp(before.value, event.revision)))
            elif before is not None and (matches is None or matches(before.value)):
                found.append(WatchEvent("DELETED", stamp(before.value, event.revision)))
        return found


class TimedWatch:
    """A watch that ends some seconds of virtual time after it began; what has happened until then is still told."""

    def __init__(self, stream: WatchStream, clock: Clock, seconds: int) -> None:
        self._stream = stream
        self._clock = clock
        self._deadline = clock.now + seconds * SECOND
        self.ended = False

    @property
    def revision(self) -> int:
        return self._stream.revision

    def waiting(self) -> bool:
        return not self.ended and (self._clock.now >= self._deadline or self._stream.waiting())

    def poll(self) -> list[WatchEvent]:
        if self.ended:
            return []
        self.ended = self._clock.now >= self._deadline
        return self._stream.poll()


def initial_events(kind: ResourceType, objects: Sequence[Object], revision: int, *, end: bool) -> list[WatchEvent]:
    """What there is when a watch begins, as ADDED events; then, if asked for, the bookmark that says it is all."""
    events = [WatchEvent("ADDED", obj) for obj in objects]
    if end:
        annotations = {"k8s.io/initial-events-end": "true"}
        events.append(bookmark(kind, {"resourceVersion": str(revision), "annotations": annotations}))
    return events


def bookmark(kind: ResourceType, metadata: Object) -> WatchEvent:
    """A BOOKMARK: an object of the kind watched of which only the metadata mean anything."""
    return WatchEvent("BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata})
