"""What is known of a write on its way through the API server; admission plugins judge it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.tracing import RequestTrace
from autograder.controlplane.apimachinery.wire import Object, User

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)


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
    #: Where each step is noted; None when nobody asked for a trace.
    trace: RequestTrace | None = None

    def enter(self, step: str) -> None:
        """Tell the trace that a step begins."""
        if self.trace is not None:
            self.trace.enter(step)

    def passed(self, outcome: str = "passed", *parts: Any) -> None:
        """Tell the trace how the step that began last has ended; ``parts`` fill the text as those of a log do."""
        if self.trace is not None:
            self.trace.passed(outcome % parts if parts else outcome)
