"""ComponentStatuses: how the parts of the control plane are, asked anew each time.

They are kept nowhere, and deprecated since v1.19.  Source: pkg/registry/core/componentstatus.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.registry.options import ListOptions


class ComponentStatusRegistry(Registry):
    """The statuses, made from what the components say now."""

    def check_reached(self, revision: int) -> None:
        """They have no revisions, and can be asked for while etcd is away."""

    def get(self, namespace: str, name: str) -> Object:
        """How one component is; ``NotFound``."""
        health = self.backend.health()
        if name not in health:
            raise NotFound.on("componentstatus", "", name)
        return {"kind": self.kind.kind, "apiVersion": self.kind.api_version, **_status(name, health[name])}

    def list(self, namespace: str, options: ListOptions) -> Object:
        """How those components are that the options select, as a list object."""
        found = [self.get("", name) for name in self.backend.health()]
        matches = self._matches(options.labels, options.fields)
        return {
            "kind": self.kind.kind + "List",
            "apiVersion": self.kind.api_version,
            "metadata": {},
            "items": [one for one in found if matches is None or matches(one)],
        }


def _status(name: str, failure: str) -> Object:
    condition = {"type": "Healthy", "status": "False" if failure else "True", "message": failure or "ok"}
    return {"metadata": {"name": name}, "conditions": [condition]}
