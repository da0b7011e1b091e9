"""NodeResourcesBalancedAllocation: likes nodes on which the pod brings the shares of CPU and memory nearer together."""

from __future__ import annotations

from collections.abc import Hashable

from autograder.controlplane.kube_scheduler.interface import MAX_NODE_SCORE, Cycle, Window
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import SKIP, Status


class BalancedAllocation:
    """See the module.  Pods that request neither are not scored."""

    name = "NodeResourcesBalancedAllocation"
    weight = 1

    def pre_score(self, cycle: Cycle, pod: PodInfo, window: Window) -> Status | None:
        """Leave out pods that request nothing, which would otherwise flock together."""
        return None if pod.requests.cpu or pod.requests.memory else SKIP

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        """75 when the balance stays as it is, up to 100 when it gets better, down to 50 when it gets worse."""
        allocatable, requested, wanted = node.node.allocatable, node.requested, pod.requests
        pairs = [
            (requested.cpu, wanted.cpu, allocatable.cpu),
            (requested.memory, wanted.memory, allocatable.memory),
        ]
        known = [pair for pair in pairs if pair[2]]
        without = _balance([taken / capacity for taken, _, capacity in known])
        within = _balance([(taken + wanting) / capacity for taken, wanting, capacity in known])
        half = MAX_NODE_SCORE // 2
        return half + (half + within - without) // 2

    def sign_score(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """What the pod requests."""
        return pod.requests.cpu, pod.requests.memory


def _balance(shares: list[float]) -> int:
    """100 less the standard deviation of the shares, of which there are at most two."""
    if len(shares) < 2:
        return MAX_NODE_SCORE
    first, second = (min(share, 1.0) for share in shares)
    return int((1 - abs((first - second) / 2)) * MAX_NODE_SCORE)
