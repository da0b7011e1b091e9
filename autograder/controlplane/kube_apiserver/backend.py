"""What the parts of the API server share: the store, the clock, the dice, and reading objects without a request.

Admission plugins and special resources read through it, as the real ones read through shared informers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import Clock
from autograder.controlplane.etcd import Store

_SUFFIX_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH: Final = 5
#: The longest name of which ``generateName`` may be the beginning.
_GENERATED_BASE: Final = 63 - _SUFFIX_LENGTH


class Backend:
    """The state behind the API of one cluster."""

    def __init__(self, store: Store, clock: Clock, dice: random.Random) -> None:
        self.store = store
        self.clock = clock
        #: Tells of each component of the control plane why it is not well, or nothing.
        self.health: Callable[[], Mapping[str, str]] = dict
        self._dice = dice

    def fork(self, clock: Clock) -> Backend:
        """The same state for a fork of the cluster; names and uids go on as here."""
        dice = random.Random()
        dice.setstate(self._dice.getstate())
        return Backend(self.store.fork(), clock, dice)

    def now(self) -> str:
        """The time as objects carry it."""
        return timestamps.time(self.clock.now)

    def uid(self) -> str:
        """A new uid: a version 4 UUID."""
        text = f"{self._dice.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"

    def suffix(self) -> str:
        """Five characters of the alphabet that cannot spell words."""
        return "".join(self._dice.choices(_SUFFIX_ALPHABET, k=_SUFFIX_LENGTH))

    def generated_name(self, base: str) -> str:
        """A name that begins with ``generateName``."""
        return base[:_GENERATED_BASE] + self.suffix()

    def pick(self, low: int, high: int) -> int:
        """A number of the range, ends included."""
        return self._dice.randint(low, high)

    def read(self, kind: ResourceType, namespace: str, name: str) -> Object | None:
        """One object as it stands, or None."""
        found = self.store.get(kind.storage_key(namespace, name))
        return found.value if found else None

    def read_all(self, kind: ResourceType, namespace: str = "") -> list[Object]:
        """The objects of a namespace, or all, in the order of their keys."""
        return [found.value for found in self.store.range(kind.storage_folder(namespace))]


def stamp(value: Any, revision: int) -> Any:
    """The object with a store revision as its resourceVersion; shares everything else with the value given."""
    return {**value, "metadata": {**value["metadata"], "resourceVersion": str(revision)}}


def bare(value: Any) -> Any:
    """The object as etcd keeps it: without its resourceVersion, which is etcd's to know."""
    metadata = {name: field for name, field in value["metadata"].items() if name != "resourceVersion"}
    return {**value, "metadata": metadata}
