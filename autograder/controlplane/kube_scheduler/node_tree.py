"""The order in which nodes are looked at: zone by zone in turn, so that a part of the list holds nodes of all zones."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import Final

from autograder.controlplane.kube_scheduler.node_info import Labels

_REGION: Final = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_ZONE: Final = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")

Zone = tuple[str, str]


def zone_of(labels: Labels) -> Zone:
    """Region and zone of a node by its labels; older names of the labels count too."""
    return _first(labels, _REGION), _first(labels, _ZONE)


class NodeTree:
    """Node names by zone, both in the order of their arrival."""

    def __init__(self) -> None:
        self._zones: dict[Zone, dict[str, None]] = {}
        self._zone_of: dict[str, Zone] = {}

    def fork(self) -> NodeTree:
        """The same tree, apart from this one."""
        twin = NodeTree()
        twin._zones = {zone: names.copy() for zone, names in self._zones.items()}
        twin._zone_of = self._zone_of.copy()
        return twin

    def set(self, name: str, labels: Labels) -> bool:
        """Add a node, or move it if its zone has changed; True if the order is another now."""
        zone = zone_of(labels)
        if self._zone_of.get(name) == zone:
            return False
        self.remove(name)
        self._zone_of[name] = zone
        self._zones.setdefault(zone, {})[name] = None
        return True

    def remove(self, name: str) -> None:
        """Take a node out; nothing happens if it is not there."""
        zone = self._zone_of.pop(name, None)
        if zone is not None:
            names = self._zones[zone]
            del names[name]
            if not names:
                del self._zones[zone]

    def names(self) -> list[str]:
        """All nodes: the first of each zone, then the second of each, and so on."""
        return [name for name in chain.from_iterable(zip_longest(*self._zones.values())) if name is not None]


def _first(labels: Labels, keys: tuple[str, ...]) -> str:
    return next((labels[key] for key in keys if labels.get(key)), "")
