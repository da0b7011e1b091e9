"""What a plugin is: the extension points of the scheduling framework, and what a plugin is given at each.

A plugin has a ``name`` and any of the methods below; the framework calls those that are there.  The smallest one:

    class PreferFewPods:
        name = "PreferFewPods"
        weight = 2

        def score(self, cycle, pod, node):
            return max(0, 100 - len(node.pods))

    Scheduler(environment, plugins=[*default_plugins(), PreferFewPods()])

A plugin keeps nothing from one pod to the next: what it works out for a pod goes into the ``Cycle``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

from autograder.controlplane.kube_scheduler.events import Interest
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import NodeStatuses, Status

if TYPE_CHECKING:
    from autograder.controlplane.kube_scheduler.handle import Handle

MAX_NODE_SCORE: Final = 100

T = TypeVar("T")


class Snapshot(Protocol):
    """The nodes as they are while one pod is decided on, in the order in which they are looked at."""

    @property
    def nodes(self) -> Sequence[NodeInfo]:
        """All nodes."""

    @property
    def affine(self) -> Mapping[str, str]:
        """The node of every pod that says anything of other pods near it, by the pod's key."""

    def get(self, name: str) -> NodeInfo | None:
        """One node."""

    def column(self, key: Hashable, compute: Callable[[NodeInfo], T]) -> Sequence[T]:
        """A value for every node, in the order of ``nodes``.

        ``compute`` looks at nothing but the node and what ``key`` tells; so it is asked again only for nodes that
        have changed.
        """


class Cycle:
    """What is worked out for one pod: by plugin for filtering and for scoring, and which plugins have no part."""

    __slots__ = ("filter_data", "handle", "score_data", "skip_filter", "skip_score", "snapshot")

    def __init__(self, handle: Handle, snapshot: Snapshot) -> None:
        self.handle = handle
        self.snapshot = snapshot
        self.filter_data: dict[str, Any] = {}
        self.score_data: dict[str, Any] = {}
        self.skip_filter: set[str] = set()
        self.skip_score: set[str] = set()

    def domains(self, key: str) -> Sequence[str | None]:
        """The domain of every node within a topology key: the value of that label, or None."""
        return self.snapshot.column(("label", key), lambda node: node.labels.get(key))

    def trial(self) -> Cycle:
        """A cycle in which pods are added and removed by way of trial; the data themselves are never changed."""
        twin = Cycle(self.handle, self.snapshot)
        twin.filter_data = self.filter_data.copy()
        twin.score_data = self.score_data
        twin.skip_filter, twin.skip_score = self.skip_filter, self.skip_score
        return twin


class Plugin(Protocol):
    """A plugin.  It may also have ``weight``, an int, if it scores (1 where it has none)."""

    @property
    def name(self) -> str:
        """How the plugin is called in messages and decisions."""


# The extension points, by which the framework finds out what a plugin does.


@runtime_checkable
class PreEnqueuePlugin(Protocol):
    """Says whether a pod may be looked at at all."""

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        """A status keeps the pod out of the queue."""


@runtime_checkable
class PreFilterPlugin(Protocol):
    """Looks at the pod once, before the nodes."""

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status | frozenset[str] | None:
        """None, the names of the only nodes to look at, ``SKIP`` (Filter has no part) or why no node will do."""


@runtime_checkable
class PodTrialPlugin(Protocol):
    """Has data of PreFilter that depend on the pods that are on the nodes."""

    def after_change(self, cycle: Cycle, pod: PodInfo, other: PodInfo, node: NodeInfo, sign: int) -> None:
        """Replace the plugin's data by those with ``other`` added to (1) or removed from (-1) a node."""


@runtime_checkable
class FilterPlugin(Protocol):
    """Says whether a node will do."""

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """A status says why the node will not do."""


@runtime_checkable
class SignedFilterPlugin(FilterPlugin, Protocol):
    """A filter that looks at nothing but the node and what its signature tells of the pod."""

    def sign_filter(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """Pods of the same signature get the same answer from the same node."""


@runtime_checkable
class ManyFilterPlugin(FilterPlugin, Protocol):
    """A filter that is faster when it is asked for all nodes at once."""

    def filter_many(self, cycle: Cycle, pod: PodInfo) -> Sequence[Status | None]:
        """The same answers as ``filter`` gives for every node of the snapshot, in its order."""


class PostFilterResult(NamedTuple):
    """What was done for a pod that fits nowhere; ``nominated`` is the node on which room is made ('' for none)."""

    nominated: str


@runtime_checkable
class PostFilterPlugin(Protocol):
    """Does something for a pod that fits nowhere."""

    def post_filter(
        self, cycle: Cycle, pod: PodInfo, statuses: NodeStatuses
    ) -> tuple[PostFilterResult | None, Status | None]:
        """None as status says that the pod will fit on the nominated node."""


@runtime_checkable
class PreScorePlugin(Protocol):
    """Looks at the pod and the nodes that will do, before they are scored."""

    def pre_score(self, cycle: Cycle, pod: PodInfo, window: Window) -> Status | None:
        """``SKIP`` when Score has no part."""


@runtime_checkable
class ScorePlugin(Protocol):
    """Says how good a node is."""

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        """A number; from 0 to 100 if the plugin does not normalize."""


@runtime_checkable
class SignedScorePlugin(ScorePlugin, Protocol):
    """A score that looks at nothing but the node and what its signature tells of the pod."""

    def sign_score(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """Pods of the same signature get the same score from the same node."""


@runtime_checkable
class ManyScorePlugin(ScorePlugin, Protocol):
    """A score that is found faster for many nodes at once."""

    def score_many(self, cycle: Cycle, pod: PodInfo, window: Window) -> list[int]:
        """The same numbers as ``score`` gives for every node of the window, in its order."""


@runtime_checkable
class NormalizePlugin(Protocol):
    """Brings the scores of all nodes to 0..100."""

    def normalize(self, cycle: Cycle, pod: PodInfo, window: Window, scores: list[int]) -> list[int]:
        """The new scores, in the same order."""


@runtime_checkable
class ReservePlugin(Protocol):
    """Keeps something for a pod on its node until it is bound."""

    def reserve(self, cycle: Cycle, pod: PodInfo, node: str) -> Status | None:
        """A status gives the node up."""

    def unreserve(self, cycle: Cycle, pod: PodInfo, node: str) -> None:
        """Binding failed: let go of it."""


@runtime_checkable
class PreBindPlugin(Protocol):
    """Does something before the pod is bound."""

    def pre_bind(self, cycle: Cycle, pod: PodInfo, node: str) -> Status | None:
        """A status gives the node up."""


@runtime_checkable
class BindPlugin(Protocol):
    """Binds the pod."""

    def bind(self, cycle: Cycle, pod: PodInfo, node: str) -> Status | None:
        """``SKIP`` leaves it to the next one; raises ``StatusError`` when the API server refuses."""


class Window:
    """Some of the nodes of a snapshot, as positions in it: those that are scored."""

    __slots__ = ("_spans", "positions", "snapshot")

    def __init__(self, snapshot: Snapshot, positions: Sequence[int], spans: tuple[slice, ...] = ()) -> None:
        self.snapshot = snapshot
        self.positions = positions
        self._spans = spans

    @classmethod
    def span(cls, snapshot: Snapshot, start: int, length: int) -> Window:
        """``length`` nodes from ``start`` on, going on at the first node after the last."""
        nodes = len(snapshot.nodes)
        ends = start + length
        positions = [*range(start, min(ends, nodes)), *range(ends - nodes)]
        spans = (slice(start, ends),) if ends <= nodes else (slice(start, None), slice(ends - nodes))
        return cls(snapshot, positions, spans)

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, column: Sequence[T]) -> list[T]:
        """The values of a column for these nodes."""
        if not self._spans:
            return [column[position] for position in self.positions]
        taken: list[T] = []
        for part in self._spans:
            taken += column[part]
        return taken

    @property
    def nodes(self) -> list[NodeInfo]:
        """The nodes themselves."""
        return self.take(self.snapshot.nodes)


@runtime_checkable
class InterestedPlugin(Protocol):
    """Knows which events matter to pods it turned away; for others every event does."""

    def interests(self) -> tuple[Interest, ...]:
        """The events."""
