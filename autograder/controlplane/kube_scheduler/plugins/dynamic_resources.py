"""DynamicResources: devices that pods claim.  ResourceClaims are not served here, so that no pod has one.

What remains is what it says of a pod that fits nowhere, which stands in the pod's condition: that there is nothing to
give back; or, if another plugin turned the pod away before this one was asked, that it finds no notes of the pod - an
error, after which the plugins behind it are not asked either.
"""

from __future__ import annotations

from autograder.controlplane.kube_scheduler.events import Interest
from autograder.controlplane.kube_scheduler.interface import Cycle, PostFilterResult
from autograder.controlplane.kube_scheduler.node_info import PodInfo
from autograder.controlplane.kube_scheduler.status import SKIP, Code, NodeStatuses, Status, unschedulable


class DynamicResources:
    """See the module."""

    name = "DynamicResources"

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status:
        """Note that the pod claims nothing."""
        cycle.filter_data[self.name] = ()
        return SKIP

    def post_filter(
        self, cycle: Cycle, pod: PodInfo, statuses: NodeStatuses
    ) -> tuple[PostFilterResult | None, Status | None]:
        """There is no claim whose devices could be given back."""
        if self.name not in cycle.filter_data:
            return None, Status(Code.ERROR, ("not found",))
        return None, unschedulable("no new claims to deallocate")

    def interests(self) -> tuple[Interest, ...]:
        """It turns no pod away."""
        return ()
