"""What the controllers share that make pods for their objects: they remember what they have asked for.

ReplicaSets, DaemonSets and Jobs count their pods, and must not count before they see what they did last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from autograder.controlplane.apimachinery.selectors import LabelSelector
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, Informer, object_key
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext
from autograder.controlplane.kube_controller_manager.expectations import Expectations
from autograder.controlplane.kube_controller_manager.ownership import concerned, controller_among, selector_of
from autograder.controlplane.kube_controller_manager.pod_control import PodControl


class PodMaker(Controller):
    """A controller that creates and deletes pods, and expects to hear of it."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.pod_control = PodControl(self.client, self.recorder)
        self.expectations = Expectations(self.clock)

    def fork(self, context: ControllerContext) -> Self:
        twin = super().fork(context)
        twin.expectations = self.expectations.fork(context.clock)
        return twin

    def hear_of_pod(
        self, owners: Informer, delta: Delta, selector: Callable[[Object], LabelSelector] = selector_of
    ) -> None:
        """A pod has changed: look at those of the ``owners`` whom that is about, and tick it off if it was expected."""
        self.queue.add(*concerned(owners, delta, selector))
        owner = controller_among(owners, delta.object)
        if owner is None:
            return
        if delta.new is None or "deletionTimestamp" in delta.object["metadata"]:
            self.expectations.deletion_observed(object_key(owner), object_key(delta.object))
        elif delta.old is None:
            self.expectations.creation_observed(object_key(owner))
