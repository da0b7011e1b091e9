"""The ReplicationController controller: the ReplicaSet controller, for the kind that came before it.

Source: pkg/controller/replication.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.scheme import REPLICATIONCONTROLLERS
from autograder.controlplane.apimachinery.selectors import LabelSelector
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager.replicaset import ReplicaSetController


class ReplicationManager(ReplicaSetController):
    """Keeps the number of pods of every ReplicationController."""

    name = "replicationcontroller-controller"
    service_account = "replication-controller"
    event_source = "replication-controller"

    KIND = REPLICATIONCONTROLLERS
    COUNTS_TERMINATING = False

    def selector(self, replica_set: Object) -> LabelSelector:
        return selectors.of_map(replica_set["spec"].get("selector"))
