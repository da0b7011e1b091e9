"""What a controller still expects to see of its own writes, so that it does not repeat them on an old view.

A controller that has created three pods is not worked on again until its informer has shown all three, or five
minutes have passed.  Source: pkg/controller/controller_utils.go (ControllerExpectations).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from autograder.controlplane.clock import SECOND, Clock

EXPIRE_AFTER: Final = 300 * SECOND


class _Expected(NamedTuple):
    """Creations not seen yet, the names of deletions not seen yet, and since when."""

    creations: int
    deletions: frozenset[str]
    since: int


class Expectations:
    """Expected creations and deletions for each key of a controller."""

    def __init__(self, clock: Clock, expected: dict[str, _Expected] | None = None) -> None:
        self._clock = clock
        self._expected = expected or {}

    def fork(self, clock: Clock) -> Expectations:
        """The same expectations for a fork of the cluster."""
        return Expectations(clock, self._expected.copy())

    def expect(self, key: str, creations: int = 0, deletions: Iterable[str] = ()) -> None:
        """So many creations, and deletions of these (``namespace/name``), will be seen; forgets what was before."""
        self._expected[key] = _Expected(creations, frozenset(deletions), self._clock.now)

    def creation_observed(self, key: str, count: int = 1) -> None:
        """Creations were seen, or will never be."""
        expected = self._expected.get(key)
        if expected and expected.creations > 0:
            self._expected[key] = expected._replace(creations=expected.creations - count)

    def deletion_observed(self, key: str, name: str) -> None:
        """A deletion was seen, or will never be."""
        expected = self._expected.get(key)
        if expected and name in expected.deletions:
            self._expected[key] = expected._replace(deletions=expected.deletions - {name})

    def satisfied(self, key: str) -> bool:
        """Whether the key may be worked on."""
        expected = self._expected.get(key)
        if expected is None or (expected.creations <= 0 and not expected.deletions):
            return True
        return self._clock.now - expected.since > EXPIRE_AFTER

    def forget(self, key: str) -> None:
        """The key's object is gone."""
        self._expected.pop(key, None)
