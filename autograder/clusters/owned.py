"""A real cluster that is ours: as one that somebody else runs, and with power over its components and nodes.

An answer still gets namespaces of its own, since a real cluster cannot be copied.  What is changed beside them (nodes,
priority classes, ``kube-system``), what is stopped and what has lost its power is put back by ``close``, so that the
next answer finds the cluster as this one did.

Commands mean the real names, so that whoever runs them gets the ``whole`` cluster, and nobody else meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, Protocol, Self

from autograder.clusters.connection import Connection
from autograder.clusters.interface import Capability, ClusterError, NotSupportedHere, Object
from autograder.clusters.kinds import kind_named
from autograder.clusters.kubeconfig import DEFAULT, PATIENT, STRICT, SYSTEM, KubeconfigCluster, Objects, Pace
from autograder.clusters.pristine import Pristine, is_of_others
from autograder.clusters.quiet import wait_until_quiet
from autograder.clusters.readiness import in_order_of_start, is_ready
from autograder.clusters.relay import Gate, Relay
from autograder.clusters.turns import Turns
from autograder.controlplane.apimachinery.errors import AlreadyExists, NotFound, ServiceUnavailable, StatusError
from autograder.controlplane.apimachinery.scheme import NAMESPACES, NODES, PODS, ResourceType

#: Seconds that a cluster gets to come to itself after something was put back.
RECOVERY_SECONDS: Final = 120
#: What the API server adds, and does not take back.
_OF_THE_SERVER: Final = ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields")
#: What can be asked of a real cluster that is ours: neither a fork nor another time.
REAL_CAPABILITIES: Final = frozenset(
    {Capability.COMPONENTS, Capability.POWER, Capability.CLUSTER_WIDE, Capability.COMMANDS, Capability.EXEC}
)


class Powers(Protocol):
    """What can be done to a cluster beside its API.  Raises ``ClusterError``, and ``ValueError`` for unknown names."""

    name: str
    capabilities: frozenset[Capability]

    def stop(self, component: str) -> None:
        """Stop a component, on every node where it runs."""

    def start(self, component: str) -> None:
        """Start it again; returns when it can be used."""

    def power_off(self, node: str) -> None:
        """Cut the power of a node."""

    def power_on(self, node: str) -> None:
        """Give a node its power back."""

    def check(self) -> None:
        """Raise ``ClusterError`` if the cluster has broken down."""

    def close(self) -> None:
        """End what was started for this process alone."""


class OwnedConnection(Connection):
    """A connection to a cluster whose API server we may have stopped ourselves: then silence is what was wanted.

    It is near: what has not answered in half a minute (etcd may be gone, which the API server waits for) never will.
    """

    patience = 30

    def _exchange(self, method: str, path: str, body: Any, content_type: str) -> str:
        try:
            return super()._exchange(method, path, body, content_type)
        except ClusterError as error:
            if self.stopped:
                raise ServiceUnavailable(str(error)) from error
            raise


class _Change(NamedTuple):
    """What an object outside of our namespaces was before it was changed; None if it was not there."""

    kind: ResourceType
    namespace: str
    name: str
    before: Object | None


class OwnedCluster(KubeconfigCluster):
    """One set of namespaces in a cluster of ours."""

    def __init__(self, connection: OwnedConnection, pace: Pace = PATIENT, powers: Powers | None = None) -> None:
        super().__init__(connection, pace)
        assert powers is not None
        self.name = powers.name
        self.capabilities = powers.capabilities
        self._own_connection = connection
        connection.look = powers.check
        self._powers = powers
        self._changes: dict[tuple[ResourceType, str, str], _Change] = {}
        self._stopped: dict[str, None] = {}
        self._dark: dict[str, None] = {}
        self._is_root = True
        self._pristine: Pristine | None = None  # of the last answer that had the whole cluster
        self._whole: Pristine | None = None
        self._turns: Turns | None = None  # where the cluster is not only ours

    def apart(self) -> Self:
        child = type(self)(self._own_connection, self._pace, self._powers)
        child._is_root = False
        self._children.append(child)
        return child

    def whole(self) -> Self:
        """The cluster by its real names, once it is as it was before all answers; ``close`` puts it back."""
        self._need(Capability.COMMANDS)
        self._powers.check()
        if self._turns is not None:
            self._pristine = self._turns.begin(self._connection)
        else:
            if self._pristine is not None and not self._pristine.restored:
                self._pristine.restore()
            self._pristine = Pristine(self._connection)
        place = self.apart()
        place._whole, place._turns = self._pristine, self._turns
        return place

    def wait_until_quiet(self, longest: float, times: float = 1) -> bool:
        """Wait until nothing changes any more, at most ``longest`` seconds; ``times`` as long as usual, to be sure."""
        self._powers.check()
        return wait_until_quiet(self, self._pace.quiet * times, longest)

    @property
    def is_whole(self) -> bool:
        """Whether this is the whole cluster, by its real names."""
        return self._whole is not None

    @property
    def powers(self) -> Powers:
        """What can be done to it beside its API."""
        return self._powers

    @property
    def connection(self) -> OwnedConnection:
        """The way to its API."""
        return self._own_connection

    def relay(self, gate: Gate, token: str, port: int) -> Relay:
        """A way to this cluster for kubectl, on which ``gate`` decides; the address goes with ``close``."""
        assert self._whole is not None
        tunnels = Capability.EXEC in self.capabilities
        return Relay(self._connection.path, self._connection.context, self._names, gate, token, port, tunnels=tunnels)

    def close(self) -> None:
        """Put back what was changed, delete our namespaces; the first of the family ends the cluster, if it is ours."""
        with contextlib.ExitStack() as last:
            if self._is_root:
                last.callback(self._powers.close)
            while self._children:
                self._children.pop().close()
            self._restore_power()
            super().close()
            self._restore_objects()
            if self._whole is not None and not self._whole.restored:
                if self._turns is not None:
                    whole, turns = self._whole, self._turns
                    last.callback(lambda: turns.end(restored=whole.restored))
                self._powers.check()
                self._whole.restore()
                self.wait_until_ready()

    def wait_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
        self._powers.check()
        return super().wait_until(predicate, timeout)

    def advance(self, seconds: float) -> None:
        """Wait: whoever asks for two minutes wants to see what two minutes bring."""
        time.sleep(seconds)

    # Components and nodes.

    def stop(self, component: str) -> None:
        self._need(Capability.COMPONENTS)
        self._powers.stop(component)
        self._stopped[component] = None
        self._own_connection.stopped = bool(self._stopped.keys() & {"kube-apiserver", "etcd"})

    def start(self, component: str) -> None:
        self._need(Capability.COMPONENTS)
        self._powers.start(component)
        self._stopped.pop(component, None)
        self._own_connection.stopped = bool(self._stopped.keys() & {"kube-apiserver", "etcd"})

    def power_off(self, node: str) -> None:
        self._need(Capability.POWER)
        self._powers.power_off(node)
        self._dark[node] = None

    def power_on(self, node: str) -> None:
        self._need(Capability.POWER)
        self._powers.power_on(node)
        self._dark.pop(node, None)

    def wait_until_ready(self, seconds: float = RECOVERY_SECONDS) -> None:
        """Wait until every node and every Pod of the cluster's own is ready; raises ``ClusterError``."""
        if not self.wait_until(lambda: not any(self._unready()), seconds):
            raise ClusterError(f"not ready within {seconds:g} seconds: {', '.join(self._unready())}")

    def _unready(self) -> list[str]:
        try:
            nodes, pods = self._items(NODES, "", "", ""), self._items(PODS, "kube-system", "", "")
        except StatusError as error:
            return [f"the API server: {error}"]
        return [f"{one['kind']} {one['metadata']['name']}" for one in (*nodes, *pods) if not is_ready(one)]

    def _need(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            raise NotSupportedHere(self.name, capability)

    def _restore_power(self) -> None:
        touched = [*self._stopped, *self._dark]
        for component in in_order_of_start(self._stopped):
            self.start(component)
        for node in list(self._dark):
            self.power_on(node)
        if touched and not self._is_root:
            self.wait_until_ready()

    def list(self, kind: str, namespace: str = DEFAULT, *, labels: str = "", fields: str = "") -> Objects:
        if self._whole is None:
            return super().list(kind, namespace, labels=labels, fields=fields)
        row = kind_named(kind)
        if not row.namespaced or namespace:
            return self._items(row, namespace if row.namespaced else "", labels, fields)
        namespaces = json.loads(self._connection.send("GET", NAMESPACES))["items"]
        others = {one["metadata"]["name"] for one in namespaces if is_of_others(one)}
        found = self._items(row, "", labels, fields)
        return [obj for obj in found if obj["metadata"]["namespace"] not in others]

    def _create_namespace(self, obj: Object) -> Object:
        if self._whole is None:
            return super()._create_namespace(obj)
        made: Object = json.loads(self._connection.send("POST", NAMESPACES, query=STRICT, body=obj))
        self._wait_for_account(made["metadata"]["name"])
        return made

    @contextlib.contextmanager
    def _ports_of_others(self, kind: ResourceType, obj: Object) -> Iterator[None]:
        if self._whole is None:
            with super()._ports_of_others(kind, obj):
                yield
        else:
            yield

    # Objects outside of our namespaces.

    def _is_outside(self, kind: ResourceType, namespace: str) -> bool:
        if self._whole is not None:
            return False  # everything is put back together
        return namespace in SYSTEM if kind.namespaced else kind is not NAMESPACES

    def _note_created(self, kind: ResourceType, namespace: str, name: str) -> None:
        if self._is_outside(kind, namespace):
            place = namespace if kind.namespaced else ""
            self._changes.setdefault((kind, place, name), _Change(kind, place, name, None))

    def _note_change(self, kind: ResourceType, namespace: str, name: str) -> None:
        place = namespace if kind.namespaced else ""
        if self._is_outside(kind, namespace) and (kind, place, name) not in self._changes:
            with contextlib.suppress(NotFound):
                before = json.loads(self._connection.send("GET", kind, place, name))
                self._changes[kind, place, name] = _Change(kind, place, name, before)

    def _restore_objects(self) -> None:
        while self._changes:
            _, change = self._changes.popitem()
            with contextlib.suppress(NotFound, AlreadyExists):
                self._restore(change)

    def _restore(self, change: _Change) -> None:
        send = self._connection.send
        if change.before is None:
            send("DELETE", change.kind, change.namespace, change.name)
            return
        meta = {key: value for key, value in change.before["metadata"].items() if key not in _OF_THE_SERVER}
        before = {**change.before, "metadata": meta}
        try:
            send("PUT", change.kind, change.namespace, change.name, body=before)
        except NotFound:
            send("POST", change.kind, change.namespace, body=before)

    def _check_writable(self, kind: ResourceType) -> None:
        """Everything in a cluster of ours may be changed."""

    def _ours(self, name: str) -> str:
        return name if name in SYSTEM or self._whole is not None else super()._ours(name)
