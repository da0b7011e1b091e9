"""What all kubelets, and all workers on their pods, share."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.controlplane.client import Client, EventRecorder, Informer
from autograder.controlplane.clock import Clock
from autograder.controlplane.containers.machines import Machines


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The API, the clock, the machines, and the objects that were last heard of."""

    client: Client
    recorder: EventRecorder
    clock: Clock
    machines: Machines
    nodes: Informer
    pods: Informer
    services: Informer
