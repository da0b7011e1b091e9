"""How a cluster of ours was before an answer, and how it comes to be so again, whatever the answer did to it.

Everything that the API lists is compared: what is new is deleted, what is gone is made again, what was changed is
written back.  Objects that a controller makes for an owner which was there before are that controller's business.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Self

from autograder.clusters import leftovers
from autograder.clusters.connection import Connection
from autograder.clusters.interface import MERGE_PATCH, ClusterError, Object
from autograder.clusters.kinds import kind_of
from autograder.controlplane.apimachinery.errors import AlreadyExists, Conflict, Invalid, NotFound
from autograder.controlplane.apimachinery.scheme import NAMESPACES, NODES, PODS, RESOURCES, ResourceType

#: Seconds in which everything has to be as it was.
RESTORE_SECONDS: Final = 120
_PAUSE: Final = 0.5
#: Kinds of which objects come and go by themselves.
_FLEETING: Final = frozenset({"Event"})
#: Kinds whose contents change by themselves.
_LIVELY: Final = frozenset({"Endpoints", "EndpointSlice", "Lease", "ControllerRevision"})
_KINDS: Final = tuple(row for row in RESOURCES if {"list", "delete"} <= set(row.verbs) and row.kind not in _FLEETING)
#: What the API server and the controllers add, and do not take back.
_METADATA: Final = frozenset({"resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink"})
_ANNOTATIONS: Final = frozenset({"deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"})
#: Taints that the node controller sets and takes away.
_OWN_TAINTS: Final = "node.kubernetes.io/"


class _Place(NamedTuple):
    kind: ResourceType
    namespace: str
    name: str

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind.kind} {self.name}{where}"


_Objects = dict[_Place, Object]


class Pristine:
    """Everything there was in a cluster when this was made."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._before = self._listed()
        self.restored = False

    @classmethod
    def loaded(cls, connection: Connection, text: str) -> Self:
        """What ``saved`` gave in another process.  Raises ``ClusterError`` if it is something else."""
        pristine = cls.__new__(cls)
        pristine._connection = connection
        try:
            pristine._before = {_place(kind_of(obj), obj): obj for obj in json.loads(text)}
        except (ValueError, LookupError) as error:
            raise ClusterError(f"what the cluster was like before an answer cannot be read: {error}") from error
        pristine.restored = False
        return pristine

    def saved(self) -> str:
        """Everything, to be written into a file."""
        return json.dumps(list(self._before.values()))

    def is_of_this_cluster(self) -> bool:
        """Whether this was the cluster, and not one of the same name."""
        place = _Place(NAMESPACES, "", "kube-system")
        there = json.loads(self._connection.send("GET", *place))
        return place in self._before and bool(self._before[place]["metadata"]["uid"] == there["metadata"]["uid"])

    def restore(self, seconds: float = RESTORE_SECONDS) -> None:
        """Make the cluster as it was.  Raises ``ClusterError`` if that does not succeed in time."""
        end = time.monotonic() + seconds
        while left := self._amend():
            if time.monotonic() > end:
                some = ", ".join(map(str, left[:5]))
                raise ClusterError(f"the cluster could not be put back as it was within {seconds:g} seconds: {some}")
            time.sleep(_PAUSE)
        self.restored = True

    def _amend(self) -> list[_Place]:
        """Ask for everything that is still to be done; what that was about."""
        now = self._listed()
        new = [place for place in now if place not in self._before and not self._is_made_for(now[place], place)]
        gone = [place for place in self._before if place not in now and not _owner(self._before[place])]
        both = now.keys() & self._before.keys()
        changed = [place for place in both if _wanted(now[place]) != _wanted(self._before[place])]
        for place in new:
            with contextlib.suppress(NotFound, Conflict):
                self._remove(place, now)
        for place in (*changed, *gone):
            with contextlib.suppress(NotFound, Conflict, AlreadyExists):
                self._put_back(place, place in now)
        return [*new, *gone, *changed]

    def _remove(self, place: _Place, now: _Objects) -> None:
        obj, send = now[place], self._connection.send
        if "deletionTimestamp" in obj["metadata"]:
            if obj["metadata"].get("finalizers") and place.kind is not NAMESPACES:
                body: Object = {"metadata": {"finalizers": None}}
                send("PATCH", *place, body=body, content_type=MERGE_PATCH)
            elif place.kind is not PODS:
                return
        if place.kind is PODS:  # nobody waits for the last words of a program
            send("DELETE", *place, body={"gracePeriodSeconds": 0})
        elif not _owner(obj) and _Place(NAMESPACES, "", place.namespace) not in now.keys() - self._before.keys():
            send("DELETE", *place, body={"propagationPolicy": "Background"})

    def _put_back(self, place: _Place, is_there: bool) -> None:
        before, send = self._before[place], self._connection.send
        meta = {key: value for key, value in before["metadata"].items() if key not in _METADATA}
        body = {**before, "metadata": meta}
        if not is_there:
            send("POST", place.kind, place.namespace, body=body)
            return
        try:
            send("PUT", *place, body=body)
        except Invalid:  # a field that cannot be changed back, only made anew
            send("DELETE", *place, body={"propagationPolicy": "Background"})

    def _is_made_for(self, obj: Object, place: _Place) -> bool:
        """Whether an object that was not there before was made for one that was, or for nobody in particular."""
        if place.name == "kube-root-ca.crt" and place.kind.kind == "ConfigMap":
            return _Place(NAMESPACES, "", place.namespace) in self._before
        owner = _owner(obj)
        if not owner:
            return False
        kept = {(one.kind.kind, one.name) for one in self._before if one.namespace in ("", place.namespace)}
        return (owner["kind"], owner["name"]) in kept and "deletionTimestamp" not in obj["metadata"]

    def _listed(self) -> _Objects:
        """Every object but those in namespaces of other judgements, which go by themselves."""
        found = {place: obj for place, obj in self._of_kind(NAMESPACES) if not is_of_others(obj)}
        known = {"", *(place.name for place in found)}  # whoever makes a namespace later is somebody else
        for kind in _KINDS:
            if kind is not NAMESPACES:
                found |= {place: obj for place, obj in self._of_kind(kind) if place.namespace in known}
        return found

    def _of_kind(self, kind: ResourceType) -> Iterator[tuple[_Place, Object]]:
        for item in json.loads(self._connection.send("GET", kind))["items"] or ():
            yield _place(kind, item), {"apiVersion": kind.api_version, "kind": kind.kind, **item}


def _place(kind: ResourceType, obj: Object) -> _Place:
    return _Place(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def is_of_others(namespace: Object) -> bool:
    """Whether a namespace was made for another judgement."""
    labels = namespace["metadata"].get("labels") or {}
    return bool(labels.get(leftovers.MANAGED_BY) == leftovers.MANAGER)


def _owner(obj: Object) -> Object | None:
    """Who is in charge of an object."""
    owners: list[Object] = obj["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def _wanted(obj: Object) -> Any:
    """What somebody wants of an object: everything but what becomes of it by itself."""
    if obj["kind"] in _LIVELY or _owner(obj):
        return None
    meta = {key: value for key, value in obj["metadata"].items() if key not in _METADATA}
    written: Object = meta.pop("annotations", None) or {}
    annotations = {key: value for key, value in written.items() if key not in _ANNOTATIONS}
    wanted = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    if obj["kind"] == NODES.kind:
        spec = wanted.get("spec") or {}
        taints = [taint for taint in spec.get("taints") or () if not taint["key"].startswith(_OWN_TAINTS)]
        wanted["spec"] = {**spec, "taints": taints}
    return meta, annotations, wanted
