"""DynamicResources: devices that pods claim.  ResourceClaims are not served here, so that no pod has one.

What remains is what it says of a pod that fits nowhere, which stands in the pod's condition.
"""

from __future__ import annotations

from autograder.controlplane.kube_scheduler.interface import (
    Cycle,
    Interest,
    NodeStatuses,
    PostFilterResult,
    Status,
    unschedulable,
)
from autograder.controlplane.kube_scheduler.node_info import PodInfo


class DynamicResources:
    """See the module."""

    name = "DynamicResources"

    def post_filter(
        self, cycle: Cycle, pod: PodInfo, statuses: NodeStatuses
    ) -> tuple[PostFilterResult | None, Status | None]:
        """There is no claim whose devices could be given back."""
        return None, unschedulable("no new claims to deallocate")

    def interests(self) -> tuple[Interest, ...]:
        """It turns no pod away."""
        return ()
