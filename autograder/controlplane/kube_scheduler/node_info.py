"""What the scheduler knows of a pod and of a node, worked out once and never changed.

A ``NodeInfo`` with one pod more or less is a new ``NodeInfo``.  So a trial (what if this pod were gone?), a snapshot
and a fork of the cluster cost nothing but a reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.node_selector import PREFERRED, REQUIRED
from autograder.controlplane.apimachinery.selectors import NOTHING, LabelSelector, of_object
from autograder.controlplane.apimachinery.taints import Taint
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import object_key
from autograder.controlplane.kube_scheduler.resources import CPU, MEMORY, PODS, Resources, amounts, pod_requests

Labels = Mapping[str, str]
NO_LABELS: Final[Labels] = {}


class HostPort(NamedTuple):
    """A port of the node that a pod takes for itself."""

    ip: str
    protocol: str
    port: int

    def conflicts(self, other: HostPort) -> bool:
        """Whether both cannot be on one node; ``0.0.0.0`` stands for every address."""
        same = self.port == other.port and self.protocol == other.protocol
        return same and (self.ip == other.ip or ANY_ADDRESS in (self.ip, other.ip))


ANY_ADDRESS: Final = "0.0.0.0"


@dataclass(frozen=True, slots=True)
class AffinityTerm:
    """One term of pod affinity or anti-affinity: which pods it means, and how near they are to be.

    ``namespaces`` are those it names (or the pod's own); ``namespace_selector`` may add others by their labels.
    """

    selector: LabelSelector
    namespaces: frozenset[str]
    namespace_selector: LabelSelector
    topology_key: str
    weight: int = 0

    def matches(self, pod: PodInfo, namespace_labels: Labels | None) -> bool:
        """Whether the term means a pod whose namespace has these labels (None: none are known)."""
        known = pod.namespace in self.namespaces or self.namespace_selector.matches(namespace_labels)
        return known and self.selector.matches(pod.labels)


@dataclass(frozen=True)
class PodInfo:
    """A pod and what the plugins ask of it; parts that few plugins need are worked out at the first question."""

    object: Object = field(repr=False)
    key: str
    uid: str
    namespace: str
    name: str
    labels: Labels
    priority: int

    @classmethod
    def of(cls, pod: Object) -> PodInfo:
        """What there is to know of a pod."""
        meta = pod["metadata"]
        return cls(
            pod,
            object_key(pod),
            meta.get("uid", ""),
            meta.get("namespace", ""),
            meta["name"],
            meta.get("labels") or NO_LABELS,
            pod["spec"].get("priority") or 0,
        )

    @property
    def spec(self) -> Object:
        """The pod's ``spec``."""
        spec: Object = self.object["spec"]
        return spec

    @property
    def status(self) -> Object:
        """The pod's ``status``; empty where there is none."""
        status: Object = self.object.get("status", {})
        return status

    @property
    def node_name(self) -> str:
        """The node to which the pod is bound, or ''."""
        return str(self.spec.get("nodeName", ""))

    @property
    def nominated_node(self) -> str:
        """The node that preemption makes room on for the pod, or ''."""
        return str(self.status.get("nominatedNodeName", ""))

    @property
    def terminating(self) -> bool:
        """Whether the pod is being deleted."""
        return "deletionTimestamp" in self.object["metadata"]

    @cached_property
    def requests(self) -> Resources:
        """What the pod asks for."""
        return Resources.of(pod_requests(self.object, scheduled=bool(self.node_name)))

    @cached_property
    def scored_requests(self) -> tuple[int, int]:
        """CPU and memory with the defaults for containers that ask for none, as scoring counts them."""
        requests = pod_requests(self.object, scoring=True, scheduled=bool(self.node_name))
        return requests.get(CPU, 0), requests.get(MEMORY, 0)

    @cached_property
    def host_ports(self) -> tuple[HostPort, ...]:
        """The ports of the node that the pod takes."""
        spec = self.spec
        sidecars = [one for one in spec.get("initContainers", ()) if one.get("restartPolicy") == "Always"]
        return tuple(
            HostPort(port.get("hostIP") or ANY_ADDRESS, port.get("protocol") or "TCP", port["hostPort"])
            for container in (*sidecars, *spec["containers"])
            for port in container.get("ports", ())
            if port.get("hostPort")
        )

    @cached_property
    def affinity_terms(self) -> tuple[AffinityTerm, ...]:
        """The pods that must be near."""
        return self._terms("podAffinity", REQUIRED)

    @cached_property
    def anti_affinity_terms(self) -> tuple[AffinityTerm, ...]:
        """The pods that must not be near."""
        return self._terms("podAntiAffinity", REQUIRED)

    @cached_property
    def preferred_affinity_terms(self) -> tuple[AffinityTerm, ...]:
        """The pods that had better be near."""
        return self._terms("podAffinity", PREFERRED)

    @cached_property
    def preferred_anti_affinity_terms(self) -> tuple[AffinityTerm, ...]:
        """The pods that had better not be near."""
        return self._terms("podAntiAffinity", PREFERRED)

    @cached_property
    def has_pod_affinity(self) -> bool:
        """Whether the pod says anything of other pods near it."""
        affinity = self.spec.get("affinity")
        return affinity is not None and ("podAffinity" in affinity or "podAntiAffinity" in affinity)

    def _terms(self, kind: str, strength: str) -> tuple[AffinityTerm, ...]:
        affinity = self.spec.get("affinity")
        if not affinity or kind not in affinity:
            return ()
        return tuple(
            self._term(one["podAffinityTerm"], one["weight"]) if strength == PREFERRED else self._term(one)
            for one in affinity[kind].get(strength) or ()
        )

    def _term(self, term: Object, weight: int = 0) -> AffinityTerm:
        namespaces = term.get("namespaces")
        namespace_selector = term.get("namespaceSelector")
        if not namespaces and namespace_selector is None:
            namespaces = [self.namespace]
        return AffinityTerm(
            of_object(term.get("labelSelector")),
            frozenset(namespaces or ()),
            NOTHING if namespace_selector is None else of_object(namespace_selector),
            term["topologyKey"],
            weight,
        )


@dataclass(frozen=True)
class NodeFacts:
    """What a node says of itself, apart from its pods."""

    object: Object = field(repr=False)
    name: str
    labels: Labels
    taints: tuple[Taint, ...]
    unschedulable: bool
    allocatable: Resources
    allowed_pods: int

    @classmethod
    def of(cls, node: Object) -> NodeFacts:
        """What there is to know of a node."""
        meta, spec = node["metadata"], node.get("spec", {})
        available = amounts(node.get("status", {}).get("allocatable") or {})
        return cls(
            node,
            meta["name"],
            meta.get("labels") or NO_LABELS,
            tuple(map(Taint.of, spec.get("taints") or ())),
            bool(spec.get("unschedulable")),
            Resources.of(available),
            available.get(PODS, 0),
        )

    @cached_property
    def images(self) -> dict[str, int]:
        """The size of every image on the node, by each of its names."""
        listed = self.object.get("status", {}).get("images") or ()
        return {name: image.get("sizeBytes", 0) for image in listed for name in image.get("names") or ()}


class NodeInfo(NamedTuple):
    """A node with its pods and what they take together.  ``facts`` is None while pods name a node that is not there."""

    facts: NodeFacts | None
    pods: Mapping[str, PodInfo]
    requested: Resources
    scored_cpu: int
    scored_memory: int
    ports: tuple[HostPort, ...]

    @property
    def node(self) -> NodeFacts:
        """What the node says of itself; only for nodes that are there."""
        assert self.facts is not None
        return self.facts

    @property
    def name(self) -> str:
        """The node's name."""
        return self.facts.name if self.facts is not None else ""

    @property
    def labels(self) -> Labels:
        """The node's labels."""
        return self.facts.labels if self.facts is not None else NO_LABELS

    def with_facts(self, facts: NodeFacts | None) -> NodeInfo:
        """The same pods on a node that says other things."""
        return self._replace(facts=facts)

    def with_pod(self, pod: PodInfo) -> NodeInfo:
        """The node with one pod more; a pod of the same key is replaced."""
        base = self.without(pod.key) if pod.key in self.pods else self
        cpu, memory = pod.scored_requests
        return NodeInfo(
            base.facts,
            {**base.pods, pod.key: pod},
            base.requested.plus(pod.requests),
            base.scored_cpu + cpu,
            base.scored_memory + memory,
            base.ports + pod.host_ports,
        )

    def without(self, key: str) -> NodeInfo:
        """The node without one of its pods."""
        pods = dict(self.pods)
        gone = pods.pop(key)
        cpu, memory = gone.scored_requests
        ports = list(self.ports)
        for port in gone.host_ports:
            ports.remove(port)
        return NodeInfo(
            self.facts,
            pods,
            self.requested.plus(gone.requests, -1),
            self.scored_cpu - cpu,
            self.scored_memory - memory,
            tuple(ports),
        )

    def with_same(self, pod: PodInfo) -> NodeInfo:
        """The node with a newer state of one of its pods that asks for the same."""
        return self._replace(pods={**self.pods, pod.key: pod})


EMPTY_NODE: Final = NodeInfo(None, {}, Resources(), 0, 0, ())
