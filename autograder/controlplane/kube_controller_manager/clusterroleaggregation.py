"""The ClusterRole aggregator: keeps the rules of roles that are made of other roles.

Source: pkg/controller/clusterroleaggregation.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.aggregation import aggregated_rules
from autograder.controlplane.client.client import MERGE_PATCH
from autograder.controlplane.client.informer import Delta
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions

CLUSTER_ROLES = scheme.resource("clusterroles", "rbac.authorization.k8s.io")


class ClusterRoleAggregationController(Controller):
    """Any change of a ClusterRole may concern every aggregated one."""

    name = "clusterrole-aggregation-controller"
    service_account = "clusterrole-aggregation-controller"
    event_source = "clusterrole-aggregation-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.roles = self.informers.informer(CLUSTER_ROLES)

    def subscriptions(self) -> Subscriptions:
        return {self.roles: self.on_role}

    def on_role(self, delta: Delta) -> None:
        # One key stands for all: a hundred roles that are listed at the start are one piece of work.
        self.queue.add("")

    def reconcile(self, key: str) -> None:
        roles = list(self.roles)
        for role in roles:
            if "aggregationRule" in role:
                rules = aggregated_rules(role, roles)
                if rules != (role.get("rules") or []):
                    name = role["metadata"]["name"]
                    self.client.patch(CLUSTER_ROLES, "", name, {"rules": rules}, patch_type=MERGE_PATCH)
