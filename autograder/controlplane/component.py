"""What a component of the cluster is, to the cluster that runs it.

A component is given its surroundings (the API server, the clock, a seed) and nothing else.  The cluster calls it in
turn: ``sync`` to do all work that is due now, ``fire`` when one of its timers goes off, ``fork`` to copy it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from autograder.controlplane.apimachinery.wire import Handler, User
from autograder.controlplane.client.client import Client
from autograder.controlplane.clock import Clock

if TYPE_CHECKING:
    from autograder.controlplane.containers.machines import Machines


@dataclass(frozen=True, slots=True)
class Environment:
    """The surroundings of a component: the API server as a function, the cluster's clock and its seed.

    ``hosts`` are the machines below the cluster; only what runs on a node (kubelets, kube-proxy, DNS) touches them.
    ``revision`` tells the last write to the cluster, where that is known without asking.
    """

    handle: Handler
    clock: Clock
    seed: int
    hosts: Machines | None = None
    revision: Callable[[], int] | None = None

    def client(self, user: str, *groups: str) -> Client:
        """A trusted client that speaks as a component, for instance ``system:kube-scheduler``."""
        identity = User(user, (*groups, "system:authenticated"))
        return Client(self.handle, identity, trusted=True, revision=self.revision)

    @property
    def machines(self) -> Machines:
        """The machines below the cluster; ``ValueError`` where there are none."""
        if self.hosts is None:
            raise ValueError("this cluster has no machines")
        return self.hosts

    def random(self, purpose: str) -> random.Random:
        """Dice for one purpose; the same seed and purpose throw the same."""
        return random.Random(f"{self.seed}/{purpose}")


class Component(Protocol):
    """A process of the cluster, named as its real one."""

    name: str

    def sync(self) -> bool:
        """Take in what the watches brought and do all work that is due now; True if there was any."""

    def fire(self, key: Hashable) -> None:
        """A timer that the component set under its name and ``key`` has gone off."""

    def fork(self, environment: Environment) -> Self:
        """The same component, in the same state, for a fork of the cluster."""
