"""NamespaceLifecycle: objects are created in namespaces that exist and are not going away."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import Forbidden, NotFound
from autograder.controlplane.apimachinery.scheme import NAMESPACES
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin, forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes

IMMORTAL: Final = ("default", "kube-system", "kube-public")


class NamespaceLifecycle(Plugin):
    """Refuses writes into a namespace that is missing or terminating, and the deletion of immortal namespaces."""

    operations = ("CREATE", "UPDATE", "DELETE")

    def admit(self, attributes: Attributes) -> None:
        if attributes.operation == "DELETE":
            if attributes.kind is NAMESPACES and attributes.name in IMMORTAL:
                raise Forbidden.on("namespaces", "", attributes.name, "this namespace may not be deleted")
            return
        if attributes.kind is NAMESPACES or not attributes.namespace:
            return
        if attributes.kind.kind.endswith("AccessReview"):
            return
        namespace = self.backend.read(NAMESPACES, "", attributes.namespace)
        if namespace is None:
            raise NotFound.on("namespaces", "", attributes.namespace)
        if attributes.operation == "CREATE" and namespace.get("status", {}).get("phase") == "Terminating":
            why = f"unable to create new content in namespace {attributes.namespace} because it is being terminated"
            error = forbidden(attributes, why)
            assert error.details is not None
            error.details["causes"] = [
                {
                    "reason": "NamespaceTerminating",
                    "message": f"namespace {attributes.namespace} is being terminated",
                    "field": "metadata.namespace",
                }
            ]
            raise error
