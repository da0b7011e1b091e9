"""A cluster of our own for every test run: an embedded one in another process, whose controls are the powers."""

from __future__ import annotations

from pathlib import Path

from autograder.clusters import Capability, ClusterError
from autograder.clusters.served import ServedCluster


class Powers:
    """The controls of a served cluster: whoever has them has a cluster of his own."""

    name = "served"
    capabilities = frozenset({Capability.COMPONENTS, Capability.CLUSTER_WIDE, Capability.COMMANDS})

    def __init__(self, config: Path) -> None:
        self._served = ServedCluster(config)
        self.closed = False
        self.broken = ""
        self.started: list[str] = []

    def stop(self, component: str) -> None:
        self._served.post("stop", target=component)

    def start(self, component: str) -> None:
        self._served.post("start", target=component)
        self.started.append(component)

    def power_off(self, node: str) -> None:
        self._served.post("power_off", target=node)

    def power_on(self, node: str) -> None:
        self._served.post("power_on", target=node)

    def running(self) -> list[str]:
        return list(self._served.state()["running"])

    def check(self) -> None:
        if self.broken:
            raise ClusterError(self.broken)

    def close(self) -> None:
        self.closed = True
