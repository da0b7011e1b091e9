"""kube-controller-manager: the controllers, each in a file or folder named as in Kubernetes, and their process."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.kube_controller_manager.clusterroleaggregation import ClusterRoleAggregationController
from autograder.controlplane.kube_controller_manager.controller import Controller
from autograder.controlplane.kube_controller_manager.cronjob import CronJobController
from autograder.controlplane.kube_controller_manager.daemonset import DaemonSetController
from autograder.controlplane.kube_controller_manager.deployment import DeploymentController
from autograder.controlplane.kube_controller_manager.disruption import DisruptionController
from autograder.controlplane.kube_controller_manager.endpoints import EndpointsController
from autograder.controlplane.kube_controller_manager.endpointslice import EndpointSliceController
from autograder.controlplane.kube_controller_manager.endpointslicemirroring import EndpointSliceMirroringController
from autograder.controlplane.kube_controller_manager.garbagecollector import GarbageCollector
from autograder.controlplane.kube_controller_manager.job import JobController
from autograder.controlplane.kube_controller_manager.namespace import NamespaceController
from autograder.controlplane.kube_controller_manager.nodeipam import NodeIpamController
from autograder.controlplane.kube_controller_manager.nodelifecycle import NodeLifecycleController
from autograder.controlplane.kube_controller_manager.persistentvolume import PersistentVolumeBinder
from autograder.controlplane.kube_controller_manager.podautoscaler import HorizontalPodAutoscalerController
from autograder.controlplane.kube_controller_manager.podgc import PodGCController
from autograder.controlplane.kube_controller_manager.replicaset import ReplicaSetController
from autograder.controlplane.kube_controller_manager.replication import ReplicationManager
from autograder.controlplane.kube_controller_manager.resourcequota import ResourceQuotaController
from autograder.controlplane.kube_controller_manager.rootcacertpublisher import RootCACertPublisher
from autograder.controlplane.kube_controller_manager.serviceaccount import ServiceAccountController
from autograder.controlplane.kube_controller_manager.serviceaccount_tokens import TokenController
from autograder.controlplane.kube_controller_manager.statefulset import StatefulSetController
from autograder.controlplane.kube_controller_manager.tainteviction import TaintEvictionController
from autograder.controlplane.kube_controller_manager.ttl import TTLController
from autograder.controlplane.kube_controller_manager.ttlafterfinished import TTLAfterFinishedController
from autograder.controlplane.kube_controller_manager.volumeprotection import (
    PVCProtectionController,
    PVProtectionController,
)

#: All controllers, in the order in which they get their turn.
CONTROLLERS: Final[tuple[type[Controller], ...]] = (
    NodeIpamController,
    NodeLifecycleController,
    TTLController,
    TaintEvictionController,
    PodGCController,
    NamespaceController,
    ServiceAccountController,
    TokenController,
    RootCACertPublisher,
    ClusterRoleAggregationController,
    ResourceQuotaController,
    CronJobController,
    JobController,
    DeploymentController,
    ReplicaSetController,
    ReplicationManager,
    DaemonSetController,
    StatefulSetController,
    DisruptionController,
    HorizontalPodAutoscalerController,
    EndpointsController,
    EndpointSliceController,
    EndpointSliceMirroringController,
    PersistentVolumeBinder,
    PVCProtectionController,
    PVProtectionController,
    GarbageCollector,
    TTLAfterFinishedController,
)
