"""What happens in the cluster, and which of it may let a pod through that a plugin has turned away.

Which watch tells of which event is ``event_handlers``; what the queue makes of them, ``queue``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import TYPE_CHECKING, Final, NamedTuple

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.node_info import PodInfo

if TYPE_CHECKING:
    from autograder.controlplane.kube_scheduler.handle import Handle


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


def is_own(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    """Hint: it is the pod itself that has changed."""
    assert event.new is not None
    uid: str = event.new["metadata"].get("uid", "")
    return uid == pod.uid


class Interest(NamedTuple):
    """What a plugin wants to know of, since it may let pods through that it turned away; no hint: it always may."""

    resources: tuple[Resource, ...]
    actions: Action
    hint: Hint | None = None

    def covers(self, event: ClusterEvent) -> bool:
        """Whether the event is one of these; a change that nobody can name is one only for who wants all changes."""
        return event.resource in self.resources and event.action in self.actions


EVERYTHING: Final = (Interest(tuple(Resource), Action.ANY),)
