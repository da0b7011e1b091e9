"""Whether a Pod that no node takes would be taken if nobody else used the cluster.

The nodes are put together as the scheduler does it, with our own Pods on them and no others.
"""

from __future__ import annotations

from collections.abc import Iterable

from autograder.clusters import Object
from autograder.controlplane.apimachinery.node_selector import required
from autograder.controlplane.kube_scheduler.node_info import EMPTY_NODE, NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.resources import Resources
from autograder.controlplane.kube_scheduler.taints import untolerated


def is_crowded_out(pod: Object, ours: Iterable[Object], nodes: Iterable[Object]) -> bool:
    """Whether the Pod would fit beside ``ours`` on one of the nodes that it may be on.

    Of a Pod with rules about other Pods, ports or volumes that is not said: these may be what keeps it waiting.
    """
    wanted, mates = PodInfo.of(pod), [PodInfo.of(other) for other in ours if other["spec"].get("nodeName")]
    return not _has_other_rules(wanted) and any(_takes(_node(node, mates), wanted) for node in nodes)


def _has_other_rules(pod: PodInfo) -> bool:
    claims = any("persistentVolumeClaim" in volume for volume in pod.spec.get("volumes") or ())
    return bool(claims or pod.has_pod_affinity or pod.host_ports or pod.spec.get("topologySpreadConstraints"))


def _node(node: Object, mates: Iterable[PodInfo]) -> NodeInfo:
    info = EMPTY_NODE.with_facts(NodeFacts.of(node))
    for mate in mates:
        if mate.node_name == info.name:
            info = info.with_pod(mate)
    return info


def _takes(node: NodeInfo, pod: PodInfo) -> bool:
    facts = node.node
    may_be_there = required(pod.spec).matches(facts.name, facts.labels)
    if facts.unschedulable or not may_be_there or untolerated(pod, facts.taints):
        return False
    return len(node.pods) < facts.allowed_pods and _fits(pod.requests, facts.allocatable.plus(node.requested, -1))


def _fits(wanted: Resources, left: Resources) -> bool:
    known = wanted.cpu <= left.cpu and wanted.memory <= left.memory and wanted.storage <= left.storage
    return known and all(amount <= left.scalar(name) for name, amount in wanted.scalars)
