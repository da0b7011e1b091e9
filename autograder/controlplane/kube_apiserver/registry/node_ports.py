"""The range of node ports, and taking ports from it for one Service.

A number is taken whatever the protocol.  A write that is only tried takes nothing and is told a number that could not
be had otherwise.  Source: pkg/registry/core/service/portallocator.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import InternalError
from autograder.controlplane.kube_apiserver.backend import Backend

NODE_PORTS: Final = range(30000, 32768)
#: The first node ports are kept for Services that ask for a fixed one.
DYNAMIC_NODE_PORTS: Final = range(30086, 32768)
ALLOCATED: Final = "provided port is already allocated"
NOT_IN_RANGE: Final = (
    f"provided port is not in the valid range. The range of valid ports is {NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
)


class NodePorts:
    """What one write takes, beside the ports that others have."""

    def __init__(self, backend: Backend, others: set[int], *, dry_run: bool) -> None:
        self._backend = backend
        self._others = others
        self._dry_run = dry_run
        self._own: set[int] = set()

    def take(self, number: int) -> str:
        """Take the port that a client asks for; says why it cannot be had."""
        if number not in NODE_PORTS and not self._dry_run:
            return NOT_IN_RANGE
        if number in self._others or number in self._own:
            return ALLOCATED
        self._own.add(number)
        return ""

    def free(self) -> int:
        """Take any port. Raises ``InternalError`` when there is none."""
        number = self._invented() if self._dry_run else self._picked()
        self._own.add(number)
        return number

    def _invented(self) -> int:
        return max(self._own, default=NODE_PORTS.stop) + 1

    def _picked(self) -> int:
        start = self._backend.pick(DYNAMIC_NODE_PORTS.start, DYNAMIC_NODE_PORTS.stop - 1)
        for number in (*range(start, NODE_PORTS.stop), *range(NODE_PORTS.start, start)):
            if number not in self._others and number not in self._own:
                return number
        raise InternalError.because("failed to allocate a nodePort: range is full")
