"""What a plugin is: the extension points of the scheduling framework, and the words they answer with.

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

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo

if TYPE_CHECKING:
    from autograder.controlplane.kube_scheduler.handle import Handle

MAX_NODE_SCORE: Final = 100

T = TypeVar("T")


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


#: The extension points, by which the framework finds out what a plugin does.
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


class Resource(Enum):
    """What changed."""

    ASSIGNED_POD = "AssignedPod"
    UNSCHEDULED_POD = "UnscheduledPod"
    NODE = "Node"
    CLAIM = "PersistentVolumeClaim"
    VOLUME = "PersistentVolume"
    STORAGE_CLASS = "StorageClass"


class Action(Flag):
    """How it changed."""

    ADD = auto()
    DELETE = auto()
    NODE_ALLOCATABLE = auto()
    NODE_LABEL = auto()
    NODE_TAINT = auto()
    NODE_CONDITION = auto()
    NODE_ANNOTATION = auto()
    POD_LABEL = auto()
    POD_SCALE_DOWN = auto()
    POD_TOLERATION = auto()
    POD_GATES_GONE = auto()
    OTHER = auto()
    UPDATE = (
        NODE_ALLOCATABLE
        | NODE_LABEL
        | NODE_TAINT
        | NODE_CONDITION
        | NODE_ANNOTATION
        | POD_LABEL
        | POD_SCALE_DOWN
        | POD_TOLERATION
        | POD_GATES_GONE
        | OTHER
    )
    ANY = ADD | DELETE | UPDATE


PODS: Final = (Resource.ASSIGNED_POD, Resource.UNSCHEDULED_POD)


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """Something that happened in the cluster: the object before (None: it is new) and after (None: it is gone)."""

    resource: Resource
    action: Action
    old: Object | None
    new: Object | None


#: Whether what happened may let a pod through that the plugin turned away.
Hint = Callable[["Handle", PodInfo, ClusterEvent], bool]


class Interest(NamedTuple):
    """What a plugin wants to know of, since it may let pods through that it turned away; no hint: it always may."""

    resources: tuple[Resource, ...]
    actions: Action
    hint: Hint | None = None

    def covers(self, event: ClusterEvent) -> bool:
        """Whether the event is one of these; a change that nobody can name is one only for who wants all changes."""
        return event.resource in self.resources and event.action in self.actions


EVERYTHING: Final = (Interest(tuple(Resource), Action.ANY),)


@runtime_checkable
class InterestedPlugin(Protocol):
    """Knows which events matter to pods it turned away; for others every event does."""

    def interests(self) -> tuple[Interest, ...]:
        """The events."""


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
