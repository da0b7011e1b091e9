"""What an admission plugin is."""

from __future__ import annotations

from typing import ClassVar

from autograder.controlplane.apimachinery.errors import Forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes, Operation
from autograder.controlplane.kube_apiserver.backend import Backend


class Plugin:
    """One admission plugin; it reads the cluster through ``backend`` and keeps no state of its own.

    ``operations`` are those of which it is asked.
    """

    operations: ClassVar[tuple[Operation, ...]] = ("CREATE", "UPDATE")

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def admit(self, attributes: Attributes) -> None:
        """Complete the new object in place, or refuse it."""

    def validate(self, attributes: Attributes) -> None:
        """Refuse the object, or let it pass."""


def forbidden(attributes: Attributes, why: str) -> Forbidden:
    """The refusal of a plugin; an object without a name yet is called by its ``generateName``."""
    meta = (attributes.object or {}).get("metadata", {})
    name = attributes.name or meta.get("name") or meta.get("generateName", "")
    return Forbidden.on(attributes.kind.plural, attributes.kind.group, name, why)
