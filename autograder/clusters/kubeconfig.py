"""A cluster that somebody else runs, behind the common interface: in namespaces of our own, and nowhere else.

Every namespace that an exercise uses stands for one that we made, ``autograder-<name>-<random>``; objects are rewritten
on the way in and on the way back, so that a check sees the names of the exercise.  Nothing that belongs to the whole
cluster is changed: who asks for it gets ``NotSupportedHere``.  The namespaces are deleted by ``close``; those of a run
that was cut off are deleted when the next run begins (see ``leftovers``).
"""

from __future__ import annotations

import atexit
import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from autograder.clusters import leftovers, scratch
from autograder.clusters.accounts import wait_for_account
from autograder.clusters.connection import Connection
from autograder.clusters.interface import (
    STRATEGIC_MERGE_PATCH,
    Capability,
    ClusterError,
    NotSupportedHere,
    Object,
    Taken,
)
from autograder.clusters.kinds import kind_named, kind_of
from autograder.clusters.translation import Translation
from autograder.controlplane.apimachinery.errors import (
    AlreadyExists,
    BadRequest,
    Invalid,
    NotFound,
    StatusError,
)
from autograder.controlplane.apimachinery.scheme import (
    NAMESPACES,
    PODS,
    RESOURCEQUOTAS,
    SERVICES,
    ResourceType,
)

Objects = list[Object]

#: The namespace that is always there, and those of the cluster itself.
DEFAULT: Final = "default"
SYSTEM: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})

STRICT: Final = {"fieldValidation": "Strict"}

#: Seconds that the quota controller has to count what there is: until then every Pod is refused.
QUOTA_SECONDS: Final = 30
#: Seconds that a new namespace has to get its ServiceAccount.
NAMESPACE_SECONDS: Final = 60
#: Characters of an exercise's namespace that are found again in ours, which has 63 at most.
_NAME_LENGTH: Final = 36


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a cluster is taken to be; all in seconds.

    A predicate is asked every ``poll``, more and more seldom up to ``longest_poll``, and must hold for ``stable``;
    what happens at once has happened after ``settle``.  A cluster in which nothing has changed for ``quiet`` has done
    what it had to do.  ``longest_wait`` bounds a single wait for something, ``longest_advance`` a time that goes by.
    """

    poll: float = 0.1
    longest_poll: float = 1.0
    stable: float = 0.5
    settle: float = 0.5
    quiet: float = 1.5
    longest_wait: float = float("inf")
    longest_advance: float = float("inf")


PATIENT: Final = Pace()
#: For a cluster that does at once what it is asked, and whose time jumps for those who wait.
QUICK: Final = Pace(longest_poll=0.3, stable=0.05, settle=0.05, quiet=0.3, longest_wait=8, longest_advance=8)


class KubeconfigCluster:
    """One set of namespaces in somebody's cluster."""

    name = "kubeconfig"
    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, connection: Connection, pace: Pace = PATIENT) -> None:
        self._connection = connection
        self._pace = pace
        self._names = Translation()
        self._room = secrets.token_hex(4)
        self._children: list[Self] = []
        self._is_used = False
        self._interruptions = connection.interruptions

    @classmethod
    def open(cls, path: Path, context: str = "", pace: Pace = PATIENT) -> Self:
        """Reach the cluster, delete what earlier runs left, and begin.  Raises ``ClusterError``."""
        connection = Connection(path, context)
        scratch.clean()
        try:
            leftovers.delete(connection)
        except StatusError as error:
            raise ClusterError(f"{path}: the cluster refuses to list namespaces: {error}") from error
        cluster = cls(connection, pace)
        atexit.register(cluster._close_quietly)
        return cluster

    def apart(self) -> Self:
        """Other namespaces of our own in the same cluster, for one answer."""
        child = type(self)(self._connection, self._pace)
        self._children.append(child)
        return child

    def whole(self) -> Self:
        raise NotSupportedHere(self.name, Capability.COMMANDS)

    def close(self) -> None:
        """Delete our namespaces and those of ``apart``; does not wait until they are gone."""
        while self._children:
            self._children[-1].close()
            self._children.pop()
        if self._is_used:
            names = leftovers.of_run(self._connection, self._room)
            for name in names:
                self._release(name)
            leftovers.delete_namespaces(self._connection, names)
        self._is_used = False
        self._names = Translation()

    def create(self, obj: Object, namespace: str = DEFAULT) -> Object:
        kind = kind_of(obj)
        meta = obj.get("metadata")
        if kind is NAMESPACES:
            return self._create_namespace(obj)
        own = meta.get("namespace") if isinstance(meta, dict) else None
        space = own if isinstance(own, str) and own else namespace
        self._check_writable(kind)
        target = self._ours(space)
        body = self._names.inward(obj)
        with self._ports_of_others(kind, obj):
            made = self._object(self._connection.send("POST", kind, target, query=STRICT, body=body))
        if name := made["metadata"].get("name"):  # a review is answered, and kept nowhere
            self._note_created(kind, space, name)
        if kind is RESOURCEQUOTAS:
            self._let_quota_count(target, made)
        return made

    def get(self, kind: str, name: str, namespace: str = DEFAULT) -> Object:
        row = kind_named(kind)
        target, ours = self._place(row, namespace, name)
        return self._object(self._connection.send("GET", row, target, ours))

    def list(self, kind: str, namespace: str = DEFAULT, *, labels: str = "", fields: str = "") -> list[Object]:
        row = kind_named(kind)
        if row is NAMESPACES:
            labels = ",".join(filter(None, (labels, f"{leftovers.ROOM}={self._room}")))
        if not row.namespaced:
            return self._items(row, "", labels, fields)
        spaces = [namespace] if namespace else list(self._names.names())
        found: Objects = []
        for space in spaces:
            with contextlib.suppress(
                NotFound
            ):  # a namespace without objects, or none at all: the API tells no difference
                found += self._items(row, self._ours(space), labels, fields)
        return found

    def patch(
        self, kind: str, name: str, patch: Any, namespace: str = DEFAULT, *, patch_type: str = STRATEGIC_MERGE_PATCH
    ) -> Object:
        row, target, ours = self._to_change(kind, namespace, name)
        body = self._names.inward(patch)
        with self._ports_of_others(row, patch):
            text = self._connection.send("PATCH", row, target, ours, query=STRICT, body=body, content_type=patch_type)
        return self._object(text)

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str = DEFAULT,
        *,
        grace_period: int | None = None,
        propagation: str = "Background",
    ) -> None:
        row, target, ours = self._to_change(kind, namespace, name)
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        self._connection.send("DELETE", row, target, ours, body=options)

    def evict(self, pod: str, namespace: str = DEFAULT) -> None:
        target, _ = self._place(PODS, namespace, pod)
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": target}}
        self._connection.send("POST", PODS, target, pod, "eviction", body=eviction)

    def logs(self, pod: str, namespace: str = DEFAULT, container: str = "") -> str:
        target, ours = self._place(PODS, namespace, pod)
        query = {"container": container} if container else None
        return self._names.text_out(self._connection.send("GET", PODS, target, ours, "log", query=query))

    def wait_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """As for every cluster; the predicate is asked again and again, and must hold twice in a row."""
        pace = self._pace
        end, pause = time.monotonic() + min(timeout, pace.longest_wait), pace.poll
        while True:
            if predicate():
                time.sleep(pace.stable)
                if predicate():
                    return True
            if time.monotonic() >= end:
                return False
            time.sleep(min(pause, max(0.0, end - time.monotonic())))
            pause = min(pause * 1.4, pace.longest_poll)

    def settle(self) -> None:
        time.sleep(self._pace.settle)

    def advance(self, seconds: float) -> None:
        time.sleep(min(seconds, self._pace.longest_advance))

    def troubles(self) -> Sequence[str]:
        """That the cluster did not answer for some time since this place was made: what it did then, nobody saw."""
        lost = self._connection.interruptions - self._interruptions
        return [f"there were {lost} interruptions: {self._connection.last_interruption}"] if lost else []

    def fork(self) -> Self:
        raise NotSupportedHere(self.name, Capability.FORK)

    def stop(self, component: str) -> None:
        raise NotSupportedHere(self.name, Capability.COMPONENTS)

    def start(self, component: str) -> None:
        raise NotSupportedHere(self.name, Capability.COMPONENTS)

    def power_off(self, node: str) -> None:
        raise NotSupportedHere(self.name, Capability.POWER)

    def power_on(self, node: str) -> None:
        raise NotSupportedHere(self.name, Capability.POWER)

    def _create_namespace(self, obj: Object) -> Object:
        """Make a namespace of our own, and wait until Pods may be created in it."""
        meta = obj.get("metadata")
        name = meta.get("name") if isinstance(meta, dict) else None
        if not isinstance(meta, dict) or not isinstance(name, str) or not name:
            raise BadRequest("a Namespace needs a name")
        if name in SYSTEM or (self._names.ours(name) and self._is_there(name)):
            raise AlreadyExists.on("namespaces", "", name)
        ours = f"{leftovers.PREFIX}{name[:_NAME_LENGTH].strip('-.')}-{secrets.token_hex(4)}"
        marked = leftovers.marked({**obj, "metadata": {**meta, "name": ours}}, self._room)
        self._is_used = True
        text = self._connection.send("POST", NAMESPACES, query=STRICT, body=marked)
        self._names.add(name, ours)
        self._wait_for_account(ours)
        return self._object(text)

    def _wait_for_account(self, namespace: str) -> None:
        """Wait until Pods may be created in a new namespace."""
        if not wait_for_account(self._connection, namespace, NAMESPACE_SECONDS, self._pace.poll):
            raise ClusterError(
                f"the new namespace {namespace} got no ServiceAccount within {NAMESPACE_SECONDS} seconds"
            )

    def _let_quota_count(self, namespace: str, quota: Object) -> None:
        name, hard = quota["metadata"]["name"], (quota.get("spec") or {}).get("hard")

        def has_counted() -> bool:
            found = json.loads(self._connection.send("GET", RESOURCEQUOTAS, namespace, name))
            return not hard or "used" in (found.get("status") or {})

        with contextlib.suppress(NotFound):
            end = time.monotonic() + QUOTA_SECONDS
            while not has_counted():
                if time.monotonic() > end:
                    raise ClusterError(
                        f"nobody has counted what ResourceQuota {name} limits in {QUOTA_SECONDS} seconds"
                    )
                time.sleep(self._pace.poll)

    @contextlib.contextmanager
    def _ports_of_others(self, kind: ResourceType, obj: Object) -> Iterator[None]:
        """Tell a node port that somebody else has, of which a cluster has only one, from one that is wrong."""
        try:
            yield
        except Invalid as refusal:
            wanted = _node_ports(obj) if kind is SERVICES else frozenset()
            causes = (refusal.details or {}).get("causes") or ()
            if wanted and any(str(cause.get("field", "")).endswith("nodePort") for cause in causes):
                here = {self._names.ours(name) for name in self._names.names()}
                for service in json.loads(self._connection.send("GET", SERVICES))["items"]:
                    taken = wanted & _node_ports(service)
                    if taken and service["metadata"]["namespace"] not in here:
                        port = ", ".join(map(str, sorted(taken)))
                        raise Taken(f"another Service of this cluster has the node port {port}") from refusal
            raise

    def _release(self, namespace: str) -> None:
        """Delete the Services of a namespace first: it goes slowly, and the next answer may want the same node port."""
        for service in json.loads(self._connection.send("GET", SERVICES, namespace))["items"]:
            with contextlib.suppress(NotFound):
                self._connection.send("DELETE", SERVICES, namespace, service["metadata"]["name"])

    def _is_there(self, name: str) -> bool:
        try:
            self.get("Namespace", name)
        except NotFound:
            return False
        return True

    def _ours(self, name: str) -> str:
        """Our namespace for one of an exercise.  Raises ``NotFound`` if the exercise has made none of this name."""
        if name in SYSTEM:
            raise NotSupportedHere(self.name, Capability.CLUSTER_WIDE)
        ours = self._names.ours(name)
        if ours is None and name == DEFAULT:
            self._create_namespace({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": DEFAULT}})
            ours = self._names.ours(DEFAULT)
        if ours is None:
            raise NotFound.on("namespaces", "", name)
        return ours

    def _place(self, kind: ResourceType, namespace: str, name: str) -> tuple[str, str]:
        """Namespace and name under which the cluster knows an object."""
        if not name:  # a path without a name means all objects of the kind
            raise NotFound.on(kind.plural, kind.group, name)
        if kind is NAMESPACES:
            return "", self._ours(name)
        return (self._ours(namespace) if kind.namespaced else ""), name

    def _to_change(self, kind: str, namespace: str, name: str) -> tuple[ResourceType, str, str]:
        """What is to be changed or deleted: its kind, and namespace and name under which the cluster knows it."""
        row = kind_named(kind)
        self._check_writable(row)
        target, ours = self._place(row, namespace, name)
        self._note_change(row, namespace, name)
        return row, target, ours

    def _note_created(self, kind: ResourceType, namespace: str, name: str) -> None:
        """An object was created, in a namespace as the exercise calls it; for clusters that put such things back."""

    def _note_change(self, kind: ResourceType, namespace: str, name: str) -> None:
        """An object is about to be changed or deleted; likewise."""

    def _check_writable(self, kind: ResourceType) -> None:
        """Raise ``NotSupportedHere`` for what belongs to the whole cluster."""
        if not kind.namespaced and kind is not NAMESPACES:
            raise NotSupportedHere(self.name, Capability.CLUSTER_WIDE)

    def _items(self, kind: ResourceType, namespace: str, labels: str, fields: str) -> Objects:
        query: Mapping[str, str] = {
            key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value
        }
        listed = json.loads(self._names.text_out(self._connection.send("GET", kind, namespace, query=query)))
        return [_without_marks({"apiVersion": kind.api_version, "kind": kind.kind, **item}) for item in listed["items"]]

    def _object(self, text: str) -> Object:
        return _without_marks(json.loads(self._names.text_out(text)))

    def _close_quietly(self) -> None:
        """Close at the end of the process; what cannot be deleted then is a leftover for the next run."""
        with contextlib.suppress(ClusterError, StatusError):
            self.close()


def _node_ports(service: Object) -> frozenset[int]:
    """The node ports that a Service has, or a patch asks for."""
    spec = service.get("spec")
    ports = spec.get("ports") if isinstance(spec, dict) else None
    found = (port.get("nodePort") for port in ports or () if isinstance(port, dict)) if isinstance(ports, list) else ()
    return frozenset(port for port in found if isinstance(port, int))


def _without_marks(obj: Object) -> Object:
    """An object as the exercise made it: a Namespace without what marks it as ours."""
    return leftovers.unmarked(obj) if obj.get("kind") == "Namespace" else obj
