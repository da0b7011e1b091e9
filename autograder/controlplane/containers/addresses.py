"""The addresses that pods get, of the range of their node in turn, as the CNI plugin host-local gives them out."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.containers.records import Host

#: From here pods get addresses while their node has no ``podCIDR`` (the node IPAM controller is off).
FALLBACK_NETWORK: Final = "10.245"


class PodAddresses:
    """Which pod has which address: ``owners`` are uids of pods by address."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self._next_fallback = 2

    def fork(self) -> PodAddresses:
        """The same addresses, for a fork of the cluster."""
        twin = PodAddresses()
        twin.owners, twin._next_fallback = self.owners.copy(), self._next_fallback
        return twin

    def allocate(self, host: Host, uid: str) -> tuple[str, Host]:
        """The next free address for a pod on a host, and the host with what it will give out next."""
        if host.pod_cidr:
            network = host.pod_cidr.rpartition("/")[0].rpartition(".")[0]
            number = host.next_address
            while f"{network}.{number}" in self.owners:
                number = _following(number)
            address, host = f"{network}.{number}", host._replace(next_address=_following(number))
        else:
            address = self._fallback()
        self.owners[address] = uid
        return address, host

    def _fallback(self) -> str:
        while True:
            number = self._next_fallback
            self._next_fallback += 1
            address = f"{FALLBACK_NETWORK}.{number // 256 % 256}.{number % 256}"
            if address not in self.owners:
                return address

    def release(self, address: str, uid: str) -> None:
        """Let others have an address, if it still is that of the pod."""
        if self.owners.get(address) == uid:
            del self.owners[address]


def _following(number: int) -> int:
    return number + 1 if number < 254 else 2
