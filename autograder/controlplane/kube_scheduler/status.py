"""What a plugin answers: a status other than success, and such statuses of many nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple


class Code(Enum):
    """What became of a pod at an extension point; success is None instead of a ``Status``."""

    ERROR = "Error"
    UNSCHEDULABLE = "Unschedulable"
    UNRESOLVABLE = "UnschedulableAndUnresolvable"
    PENDING = "Pending"
    SKIP = "Skip"


class Status(NamedTuple):
    """An answer other than success.  ``UNRESOLVABLE`` says that taking pods off the node would not help."""

    code: Code
    reasons: tuple[str, ...] = ()
    plugin: str = ""

    @property
    def message(self) -> str:
        """All reasons in one line."""
        return ", ".join(self.reasons)

    @property
    def rejected(self) -> bool:
        """Whether the pod was turned away, rather than something having gone wrong."""
        return self.code in (Code.UNSCHEDULABLE, Code.UNRESOLVABLE, Code.PENDING)


SKIP: Final = Status(Code.SKIP)


def unschedulable(*reasons: str) -> Status:
    """The node (or at PreFilter: every node) is no good for the pod as things are."""
    return Status(Code.UNSCHEDULABLE, reasons)


def unresolvable(*reasons: str) -> Status:
    """As ``unschedulable``, and would be even if other pods went away."""
    return Status(Code.UNRESOLVABLE, reasons)


class NodeStatuses:
    """Why the nodes will not do; ``absent`` stands for every node that is not named."""

    def __init__(self, named: dict[str, Status] | None = None, absent: Status | None = None) -> None:
        self.named = named if named is not None else {}
        self.absent = absent or Status(Code.UNRESOLVABLE)

    def __len__(self) -> int:
        return len(self.named)

    def get(self, node: str) -> Status:
        """The status of one node."""
        return self.named.get(node, self.absent)

    def names(self, code: Code, nodes: Sequence[str]) -> set[str]:
        """Which of all nodes have a status of this code."""
        found = {name for name, status in self.named.items() if status.code is code}
        return found | (set(nodes) - self.named.keys()) if self.absent.code is code else found

    def histogram(self, nodes: int) -> str:
        """How many nodes gave each reason: ``1 Insufficient cpu, 2 node(s) were unschedulable``."""
        counts: dict[str, int] = {}
        for reasons, times in Counter(status.reasons for status in self.named.values()).items():
            for reason in reasons:
                counts[reason] = counts.get(reason, 0) + times
        for reason in self.absent.reasons if len(self.named) < nodes else ():
            counts[reason] = counts.get(reason, 0) + nodes - len(self.named)
        return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
