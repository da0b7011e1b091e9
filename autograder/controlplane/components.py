"""The components of a cluster beside etcd and the API server: name -> how to start one.

The order is that in which they get their turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from autograder.controlplane.component import Component, Environment
from autograder.controlplane.coredns import CoreDNS
from autograder.controlplane.kube_controller_manager import CONTROLLERS
from autograder.controlplane.kube_controller_manager.manager import ControllerManager
from autograder.controlplane.kube_proxy.proxy import KubeProxy
from autograder.controlplane.kube_scheduler.scheduler import Scheduler
from autograder.controlplane.kubelet.fleet import Kubelets

FACTORIES: Final[dict[str, Callable[[Environment], Component]]] = {
    "kube-controller-manager": lambda environment: ControllerManager(environment, CONTROLLERS),
    "kube-scheduler": Scheduler,
    "kubelet": Kubelets,
    "kube-proxy": KubeProxy,
    "coredns": CoreDNS,
}
