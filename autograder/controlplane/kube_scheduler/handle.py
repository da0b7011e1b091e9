"""What the framework gives to plugins: the cluster as the scheduler sees it, and a way to write to it."""

from __future__ import annotations

from random import Random
from typing import Final

from autograder.controlplane.apimachinery.scheme import (
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    SERVICES,
    STATEFULSETS,
    resource,
)
from autograder.controlplane.client import Client, InformerFactory
from autograder.controlplane.client.informer import by_namespace
from autograder.controlplane.clock import Clock
from autograder.controlplane.kube_scheduler.cache import SchedulerCache
from autograder.controlplane.kube_scheduler.event_recorder import EventRecorder
from autograder.controlplane.kube_scheduler.framework import Framework
from autograder.controlplane.kube_scheduler.node_info import NO_LABELS, Labels, PodInfo
from autograder.controlplane.kube_scheduler.nominator import Nominator

STORAGECLASSES: Final = resource("storageclasses", "storage.k8s.io")


class Handle:
    """The surroundings of the plugins.  Informers are named as the collections they hold."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        informers: InformerFactory,
        cache: SchedulerCache,
        nominator: Nominator,
        recorder: EventRecorder,
        dice: Random,
        framework: Framework,
    ) -> None:
        self.client = client
        self.clock = clock
        self.informers = informers
        self.cache = cache
        self.nominator = nominator
        self.recorder = recorder
        self.dice = dice
        self.framework = framework
        self.pods = informers.informer(PODS)
        self.nodes = informers.informer(NODES)
        self.namespaces = informers.informer(NAMESPACES)
        self.services = informers.informer(SERVICES, namespace=by_namespace)
        self.replication_controllers = informers.informer(REPLICATIONCONTROLLERS)
        self.replica_sets = informers.informer(REPLICASETS)
        self.stateful_sets = informers.informer(STATEFULSETS)
        self.claims = informers.informer(PERSISTENTVOLUMECLAIMS)
        self.volumes = informers.informer(PERSISTENTVOLUMES)
        self.storage_classes = informers.informer(STORAGECLASSES)
        self.disruption_budgets = informers.informer(PODDISRUPTIONBUDGETS)

    def fork(self, client: Client, clock: Clock) -> Handle:
        """The same surroundings, in the same state, for a fork of the cluster."""
        dice = Random()
        dice.setstate(self.dice.getstate())
        return Handle(
            client, clock, self.informers.fork(client), self.cache.fork(), self.nominator.fork(),
            self.recorder.fork(client, clock), dice, self.framework,
        )  # fmt: skip

    def namespace_labels(self, name: str) -> Labels:
        """The labels of a namespace; none when it is not known."""
        namespace = self.namespaces.get("", name)
        return (namespace["metadata"].get("labels") or NO_LABELS) if namespace else NO_LABELS

    def nominated_pods(self, node: str) -> list[PodInfo]:
        """The pods for which preemption makes room on a node."""
        found = (self.pods.get_by_key(key) for key in self.nominator.pods_of(node))
        return [PodInfo.of(pod) for pod in found if pod is not None]
