"""``--cluster local``: the programs, the nodes and the way to them, opened and closed together."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import ssl
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final, Self

from autograder.clusters.interface import Object
from autograder.clusters.kubeconfig import PATIENT, Pace
from autograder.clusters.local import control_plane, nodes
from autograder.clusters.local.api import Api
from autograder.clusters.local.control_plane import ControlPlane
from autograder.clusters.local.kubelet_server import KubeletServer
from autograder.clusters.local.nodes import Nodes
from autograder.clusters.local.store import EtcdOnDemand
from autograder.clusters.owned import REAL_CAPABILITIES, OwnedCluster, OwnedConnection
from autograder.controlplane.apimachinery.wire import ADMIN
from autograder.controlplane.client import Client
from autograder.controlplane.topology import DEFAULT_NODES

_MANIFESTS: Final = "/etc/kubernetes/manifests"
COMPONENTS: Final = (*control_plane.NAMES, *nodes.NAMES)


class LocalPowers:
    """A running local cluster, and power over all of it."""

    name = "local"
    capabilities = REAL_CAPABILITIES

    def __init__(self, without: Collection[str] = (), manifests: Sequence[Object] = DEFAULT_NODES) -> None:
        """Start everything but what is left out; raises ``ClusterError``, and then nothing is left running."""
        for name in without:
            _known(name)
        self._control_plane = ControlPlane()
        self._store: EtcdOnDemand | None = None
        self._nodes = Nodes(lambda: self._store() if self._store else None)
        self._api: Api | None = None
        self._server: KubeletServer | None = None
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._control_plane.start(without)
            self._store = EtcdOnDemand(control_plane.HOST, self._control_plane.etcd_port)
            self._api = Api(
                control_plane.HOST, self._control_plane.port, self._control_plane.client_context, self._nodes.news
            )
            authority = self._control_plane.authority.authority.decode()
            nodes.register(Client(self._api.handle, ADMIN, trusted=True), manifests, authority)
            self._server = KubeletServer(self._control_plane.egress, self._nodes, self._kubelet_context)
            self._server.start()
            self._nodes.start(self._api.handle, manifests, without)
            undo.pop_all()

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig file; it goes with the cluster."""
        return self._control_plane.kubeconfig

    def running(self) -> list[str]:
        """The components that run."""
        return [*self._control_plane.running(), *self._nodes.running()]

    def stop(self, component: str) -> None:
        if _known(component) in control_plane.NAMES:
            self._control_plane.stop_one(component)
        else:
            self._nodes.stop_component(component)

    def start(self, component: str) -> None:
        if _known(component) in control_plane.NAMES:
            self._control_plane.start_one(component)
        else:
            self._nodes.start_component(component)

    def power_off(self, node: str) -> None:
        self._nodes.power_off(node)

    def power_on(self, node: str) -> None:
        self._nodes.power_on(node)

    def command(self, node: str, line: str) -> dict[str, Any]:
        """What a command line prints in a shell on a node: ``stdout``, ``stderr`` and ``code``.

        A component whose manifest it takes away is stopped, and started when that is back, as a kubelet does it.
        """
        before = self._manifests(node)
        output = self._nodes.command(node, line)
        after = self._manifests(node)
        for component in control_plane.NAMES:
            if component in before - after:
                self.stop(component)
            elif component in after - before:
                self.start(component)
        return output._asdict()

    def _manifests(self, node: str) -> set[str]:
        """The static Pods of a node, by the names of their files."""
        listed = self._nodes.command(node, f"ls {_MANIFESTS}").stdout.split()
        return {name.removesuffix(".yaml") for name in listed}

    def check(self) -> None:
        self._control_plane.check()
        self._nodes.check()

    def close(self) -> None:
        """Stop everything, and remove all that it kept; does nothing the second time."""
        ends: list[Callable[[], None]] = [self._nodes.close]
        ends += [part.close for part in (self._store, self._api, self._server) if part is not None]
        self._api = self._server = self._store = None
        with contextlib.ExitStack() as stack:
            stack.callback(self._control_plane.close)
            for end in reversed(ends):
                stack.callback(end)

    def _kubelet_context(self, node: str, address: str) -> ssl.SSLContext:
        authority = self._control_plane.authority
        certificate, key = authority.server([node, address])
        context = dataclasses.replace(authority, certificate=certificate, key=key).server_context()
        context.verify_mode = ssl.CERT_REQUIRED
        return context


class LocalCluster(OwnedCluster):
    """A cluster whose control plane runs as processes for as long as this process does."""

    @classmethod
    def start_all(cls, pace: Pace = PATIENT) -> Self:
        """Start a cluster and wait until it is at rest; raises ``ClusterError``."""
        powers = LocalPowers()
        cluster = cls(OwnedConnection(powers.kubeconfig), pace, powers)
        atexit.register(cluster._close_quietly)
        try:
            cluster.wait_until_ready()
        except BaseException:
            cluster.close()
            raise
        return cluster

    def close(self) -> None:
        """As for every cluster of ours; with the first of the family all of it goes, and nothing need be put back."""
        if self._is_root:
            self._children.clear()
            self._powers.close()
        else:
            super().close()


def _known(component: str) -> str:
    if component not in COMPONENTS:
        raise ValueError(f"no component is called {component}; there are {', '.join(COMPONENTS)}")
    return component
