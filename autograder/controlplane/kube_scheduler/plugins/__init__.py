"""The plugins of the default profile, one a file."""

from __future__ import annotations

from autograder.controlplane.kube_scheduler.interface import Plugin
from autograder.controlplane.kube_scheduler.plugins.balanced_allocation import BalancedAllocation
from autograder.controlplane.kube_scheduler.plugins.default_binder import DefaultBinder
from autograder.controlplane.kube_scheduler.plugins.default_preemption import DefaultPreemption
from autograder.controlplane.kube_scheduler.plugins.dynamic_resources import DynamicResources
from autograder.controlplane.kube_scheduler.plugins.image_locality import ImageLocality
from autograder.controlplane.kube_scheduler.plugins.inter_pod_affinity import InterPodAffinity
from autograder.controlplane.kube_scheduler.plugins.node_affinity import NodeAffinity
from autograder.controlplane.kube_scheduler.plugins.node_name import NodeName
from autograder.controlplane.kube_scheduler.plugins.node_ports import NodePorts
from autograder.controlplane.kube_scheduler.plugins.node_resources_fit import NodeResourcesFit
from autograder.controlplane.kube_scheduler.plugins.node_unschedulable import NodeUnschedulable
from autograder.controlplane.kube_scheduler.plugins.pod_topology_spread import PodTopologySpread
from autograder.controlplane.kube_scheduler.plugins.scheduling_gates import SchedulingGates
from autograder.controlplane.kube_scheduler.plugins.taint_toleration import TaintToleration
from autograder.controlplane.kube_scheduler.plugins.volume_binding import VolumeBinding
from autograder.controlplane.kube_scheduler.plugins.volume_restrictions import VolumeRestrictions
from autograder.controlplane.kube_scheduler.plugins.volume_zone import VolumeZone

__all__ = [
    "BalancedAllocation",
    "DefaultBinder",
    "DefaultPreemption",
    "DynamicResources",
    "ImageLocality",
    "InterPodAffinity",
    "NodeAffinity",
    "NodeName",
    "NodePorts",
    "NodeResourcesFit",
    "NodeUnschedulable",
    "PodTopologySpread",
    "SchedulingGates",
    "TaintToleration",
    "VolumeBinding",
    "VolumeRestrictions",
    "VolumeZone",
    "default_plugins",
]


def default_plugins() -> list[Plugin]:
    """The plugins that are on by default, in their order.

    NodeVolumeLimits and NodeDeclaredFeatures have no part here, since nodes state neither CSI drivers nor features;
    PrioritySort, which cannot be switched off, is the queue's own order.
    """
    return [
        SchedulingGates(),
        NodeUnschedulable(),
        NodeName(),
        TaintToleration(),
        NodeAffinity(),
        NodePorts(),
        NodeResourcesFit(),
        VolumeRestrictions(),
        VolumeBinding(),
        VolumeZone(),
        PodTopologySpread(),
        InterPodAffinity(),
        DynamicResources(),
        DefaultPreemption(),
        BalancedAllocation(),
        ImageLocality(),
        DefaultBinder(),
    ]
