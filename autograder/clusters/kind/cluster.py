"""``--cluster kind[:NAME]``: a kind cluster behind the common interface."""

from __future__ import annotations

import atexit
import sys
from typing import Any, Self

from autograder.clusters import leftovers, scratch
from autograder.clusters.interface import ClusterError, Object
from autograder.clusters.kind import provision
from autograder.clusters.kind.engine import EngineError, Tools
from autograder.clusters.kind.names import NodeTranslation, by_known_name
from autograder.clusters.kind.powers import KindPowers
from autograder.clusters.kubeconfig import PATIENT, Pace
from autograder.clusters.owned import OwnedCluster, OwnedConnection, Powers
from autograder.clusters.turns import Turns
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import ResourceType


class KindCluster(OwnedCluster):
    """One set of namespaces in a kind cluster, its nodes called as exercises know them."""

    def __init__(self, connection: OwnedConnection, pace: Pace = PATIENT, powers: Powers | None = None) -> None:
        super().__init__(connection, pace, powers)
        self._files: scratch.Scratch | None = None  # what the cluster is reached by, if we wrote it
        self._node_names = NodeTranslation({})
        self._names = self._node_names

    @classmethod
    def ensure(cls, name: str = "", pace: Pace = PATIENT) -> Self:
        """Open the cluster of a name, which is made if it is not there; raises ``ClusterError``."""
        name = provision.name_of(name)
        tools = Tools.find()
        containers = provision.ensure(tools, name)
        nodes = by_known_name(name, containers)
        powers = KindPowers(tools, name, containers, lambda node: nodes.get(node, node))
        powers.restore()
        for failed in provision.load_images(tools, name, [node for node in containers if "-worker" in node]):
            print(f"kind: this image is not on the nodes yet: {failed}", file=sys.stderr)
        scratch.clean()
        files = scratch.Scratch()
        config = files.path / "config"
        config.write_text(provision.kubeconfig(tools, name), encoding="utf-8")
        connection = OwnedConnection(config)
        try:
            leftovers.delete(connection)
        except StatusError as error:
            raise ClusterError(f"the kind cluster {name} refuses to list namespaces: {error}") from error
        cluster = cls(connection, pace, powers)
        cluster._files = files
        cluster._know(nodes)
        cluster._turns = Turns(provision.kept(name, "whole"))
        atexit.register(cluster._close_quietly)
        cluster.wait_until_ready()
        return cluster

    def apart(self) -> Self:
        child = super().apart()
        child._know(self._known_nodes)
        return child

    def shell(self, node: str, line: str) -> dict[str, Any]:
        """What a command line prints in a shell on a node: ``stdout``, ``stderr`` and ``code``."""
        assert isinstance(self.powers, KindPowers)
        line = self._node_names.command(line)
        try:
            return {"stdout": self.powers.command(node, "sh", "-c", line), "stderr": "", "code": 0}
        except EngineError as error:
            if error.done is None:
                return {"stdout": "", "stderr": f"{error}\n", "code": 1}
            return {"stdout": error.done.stdout, "stderr": error.done.stderr, "code": error.done.returncode}

    def close(self) -> None:
        super().close()
        self._know(self._known_nodes)

    def _know(self, nodes: dict[str, str]) -> None:
        """Begin with the nodes' names and no namespace."""
        self._known_nodes = nodes
        self._node_names = NodeTranslation(nodes)
        self._names = self._node_names

    def _place(self, kind: ResourceType, namespace: str, name: str) -> tuple[str, str]:
        place, ours = super()._place(kind, namespace, name)
        return place, self._node_names.object(kind.plural, place, ours)

    def _items(self, kind: ResourceType, namespace: str, labels: str, fields: str) -> list[Object]:
        fields = self._node_names.fields_in(fields, kind.plural, namespace)
        return super()._items(kind, namespace, labels, fields)
