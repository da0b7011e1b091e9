"""A watch as clients see it: the store's events, narrowed by selectors and turned into ADDED, MODIFIED and DELETED.

An object that begins to match a selector is ADDED for that watch and one that no longer does is DELETED, whatever
happened to it in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograder.controlplane.apimachinery.errors import Expired
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, WatchEvent
from autograder.controlplane.etcd import Compacted, Watch
from autograder.controlplane.kube_apiserver.backend import stamp

Matches = Callable[[Object], bool]


class ApiWatch:
    """One watch of one client: what there was, if the client asked for it, then what happens."""

    def __init__(self, events: Watch, matches: Matches | None, initial: Sequence[WatchEvent] = ()) -> None:
        self._events = events
        self._matches = matches
        self._initial = list(initial)

    def waiting(self) -> bool:
        return bool(self._initial) or self._events.waiting()

    def poll(self) -> list[WatchEvent]:
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
                elif was_in:
                    found.append(WatchEvent("DELETED", now.value))
            elif before is not None and (matches is None or matches(before.value)):
                found.append(WatchEvent("DELETED", stamp(before.value, event.revision)))
        return found


def initial_events(kind: ResourceType, objects: Sequence[Object], revision: int, *, bookmark: bool) -> list[WatchEvent]:
    """What there is when a watch begins, as ADDED events; then, if asked for, the bookmark that says it is all."""
    events = [WatchEvent("ADDED", obj) for obj in objects]
    if bookmark:
        metadata = {"resourceVersion": str(revision), "annotations": {"k8s.io/initial-events-end": "true"}}
        events.append(WatchEvent("BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}))
    return events
