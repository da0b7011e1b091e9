"""What is known of a write on its way through the API server; admission plugins judge it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, User

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


@dataclass(slots=True)
class Attributes:
    """One write: who does what to which object.

    ``object`` is the new state, which mutating plugins change in place; ``old`` the state before, never changed.
    ``warnings`` are sent to the client; ``trusted`` marks a component whose objects are in normal form.
    """

    operation: Operation
    kind: ResourceType
    namespace: str
    name: str
    subresource: str
    user: User
    object: Object | None = None
    old: Object | None = None
    dry_run: bool = False
    trusted: bool = False
    warnings: list[str] = field(default_factory=list)
    #: What each step said, for the request trace; None when nobody asked for one.
    trace: list[tuple[str, str]] | None = None

    def note(self, step: str, what: str) -> None:
        """Tell the request trace what a step did."""
        if self.trace is not None:
            self.trace.append((step, what))
