"""Who wrote what, beside the store: the store keeps what was written and not by whom, and forgets its history.

Notes are taken once a request, not once a key, and kept in bounded number; what the store is about to forget is taken
over from it.  Leases are left out: they say every ten seconds that nothing has happened.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

from autograder.controlplane.etcd import Event, Store

#: How many requests and how many events are kept; at twice as many the older half is dropped.
LIMIT: Final = 20_000
LEFT_OUT: Final = "/registry/leases/"


class Note(NamedTuple):
    """All that was written after the note before, up to ``revision``: when (microseconds), and as whom."""

    revision: int
    time: int
    user: str


class Chronicle:
    """The notes of one API server."""

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._events: list[Event] = []
        self._kept = 0
        self._forgotten = 0

    def fork(self) -> Chronicle:
        """The same notes for a fork of the cluster."""
        twin = Chronicle()
        twin._notes, twin._events = self._notes.copy(), self._events.copy()
        twin._kept, twin._forgotten = self._kept, self._forgotten
        return twin

    def note(self, revision: int, time: int, user: str) -> None:
        """A request has written, up to this revision."""
        self._notes.append(Note(revision, time, user))
        if len(self._notes) > 2 * LIMIT:
            self._forgotten = self._notes[LIMIT - 1].revision
            del self._notes[:LIMIT]

    def keep(self, store: Store, until: int) -> None:
        """Take over from the store what it will forget: everything up to a revision."""
        self._events += [event for event in _told(store, self._kept) if event.revision <= until]
        self._kept = max(self._kept, until)
        del self._events[: max(0, len(self._events) - LIMIT)]

    def written(self, store: Store, since: int) -> Iterator[tuple[Event, Note]]:
        """Every write after a revision that is still known, oldest first, with who did it and when."""
        for event in (*self._events, *_told(store, self._kept)):
            position = bisect_left(self._notes, event.revision, key=lambda note: note.revision)
            if event.revision > max(since, self._forgotten) and position < len(self._notes):
                yield event, self._notes[position]


def _told(store: Store, after: int) -> list[Event]:
    """The history that a store has, without leases."""
    return [event for event in store.history(max(after, store.compacted)) if not event.key.startswith(LEFT_OUT)]
