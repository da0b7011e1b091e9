"""Priority classes: those that every cluster has are not deleted."""

from __future__ import annotations

from autograder.controlplane.apimachinery.errors import Forbidden
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions
from autograder.controlplane.kube_apiserver.validation.scheduling import SYSTEM_CLASSES


class PriorityClassRegistry(Registry):
    """The priority classes."""

    def delete(self, attributes: Attributes, options: DeleteOptions) -> tuple[Object, bool]:
        if attributes.name in SYSTEM_CLASSES:
            why = "this is a system priority class and cannot be deleted"
            raise Forbidden.on(self.kind.plural, self.kind.group, attributes.name, why)
        return super().delete(attributes, options)
