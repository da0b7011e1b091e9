"""The addresses that pods get, of the range of their node in turn, as the CNI plugin host-local gives them out."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import chain
from typing import Final

from autograder.controlplane.containers.records import Host

#: From here pods get addresses while their node has no ``podCIDR`` (the node IPAM controller is off).
FALLBACK_NETWORK: Final = IPv4Network("10.245.0.0/16")
#: The place in its range of the first address for a pod; the one before is the node's own.
FIRST: Final = 2


class NoAddressError(Exception):
    """All addresses of a range are taken; the message is that of host-local."""


class PodAddresses:
    """Which pod has which address: ``owners`` are uids of pods by address."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self._next_fallback = FIRST

    def fork(self) -> PodAddresses:
        """The same addresses, for a fork of the cluster."""
        twin = PodAddresses()
        twin.owners, twin._next_fallback = self.owners.copy(), self._next_fallback
        return twin

    def allocate(self, host: Host, uid: str) -> tuple[str, Host]:
        """The next free address for a pod on a host, and the host with what it gives out next.

        Raises ``NoAddressError``.
        """
        if host.pod_cidr:
            address, following = self._take(IPv4Network(host.pod_cidr, strict=False), host.next_address, uid)
            return address, host._replace(next_address=following)
        address, self._next_fallback = self._take(FALLBACK_NETWORK, self._next_fallback, uid)
        return address, host

    def release(self, address: str, uid: str) -> None:
        """Let others have an address, if it still is that of the pod."""
        if self.owners.get(address) == uid:
            del self.owners[address]

    def _take(self, network: IPv4Network, start: int, uid: str) -> tuple[str, int]:
        """Give a pod the first free address from a place in a range on, or else before it; and the place after it."""
        end = network.num_addresses - 1
        for place in chain(range(start, end), range(FIRST, min(start, end))):
            address = str(network.network_address + place)
            if address not in self.owners:
                self.owners[address] = uid
                return address, place + 1 if place + 1 < end else FIRST
        usable = f"{network.network_address + 1}-{network.broadcast_address - 1}"
        raise NoAddressError(f"failed to allocate for range 0: no IP addresses available in range set: {usable}")
