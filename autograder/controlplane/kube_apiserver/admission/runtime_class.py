"""RuntimeClass: pods name runtime classes that exist, and leave what these cost to them.

Runtime classes themselves are not supported, so that there is none.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin, forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes


class RuntimeClass(Plugin):
    """Refuses pods that name a runtime class, or say what one costs."""

    operations = ("CREATE",)

    def admit(self, attributes: Attributes) -> None:
        if attributes.kind is not PODS or attributes.subresource:
            return
        assert attributes.object is not None
        name = attributes.object["spec"].get("runtimeClassName")
        if name is not None:
            raise forbidden(attributes, f"pod rejected: RuntimeClass {quoted(name)} not found")

    def validate(self, attributes: Attributes) -> None:
        if attributes.kind is not PODS or attributes.subresource:
            return
        assert attributes.object is not None
        if attributes.object["spec"].get("overhead"):
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise forbidden(attributes, why)
