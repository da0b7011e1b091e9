"""The process: it watches Services and EndpointSlices and writes the rules into the kernels of all nodes.

The rules stay when it stops, and grow old, as on a real node.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Self

from autograder.controlplane.client.services import ServiceInformer
from autograder.controlplane.component import Environment
from autograder.controlplane.containers.routing import Rules
from autograder.controlplane.kube_proxy.rules import changed, service_ports

COMPONENT: Final = "kube-proxy"
USER: Final = "system:kube-proxy"
PROXY_NAME_LABEL: Final = "service.kubernetes.io/service-proxy-name"


class KubeProxy:
    """kube-proxy of all nodes; the rules are the same on each, but for what ``Local`` policies keep on a node."""

    name = COMPONENT

    def __init__(self, environment: Environment, informer: ServiceInformer | None = None) -> None:
        self._machines = environment.machines
        self._informer = informer or ServiceInformer(environment.client(USER))
        self._fresh = True

    def fork(self, environment: Environment) -> Self:
        twin = type(self)(environment, self._informer.fork(environment.client(USER)))
        twin._fresh = self._fresh
        return twin

    def sync(self) -> bool:
        """Take in changed services and endpoints, and write the rules."""
        touched = self._informer.changed()
        if self._fresh:
            self._fresh = False
            self._machines.rules = Rules()
        if not touched:
            return False
        services = {}
        for namespace, name in touched:
            service, slices = self._informer.get(namespace, name)
            proxied = service is not None and PROXY_NAME_LABEL not in (service["metadata"].get("labels") or {})
            services[namespace, name] = service_ports(service, slices) if service is not None and proxied else []
        self._machines.rules = changed(self._machines.rules, services)
        return True

    def fire(self, key: Hashable) -> None:
        """It sets no timers."""
