"""The process: it watches Services and EndpointSlices and writes the rules into the kernels of all nodes.

The rules stay when it stops, and grow old, as on a real node.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Self

from autograder.controlplane.apimachinery.scheme import ENDPOINTSLICES, SERVICES
from autograder.controlplane.client import InformerFactory
from autograder.controlplane.component import Environment
from autograder.controlplane.containers.dns import service_of
from autograder.controlplane.containers.routing import Rules
from autograder.controlplane.kube_proxy import iptables
from autograder.controlplane.kube_proxy.rules import changed, service_ports

COMPONENT: Final = "kube-proxy"
USER: Final = "system:kube-proxy"
PROXY_NAME_LABEL: Final = "service.kubernetes.io/service-proxy-name"


class KubeProxy:
    """kube-proxy of all nodes; the rules are the same on each, but for what ``Local`` policies keep on a node."""

    name = COMPONENT

    def __init__(self, environment: Environment) -> None:
        self._connect(environment, InformerFactory(environment.client(USER)))
        self._fresh = True

    def fork(self, environment: Environment) -> Self:
        twin = object.__new__(type(self))
        twin._connect(environment, self._informers.fork(environment.client(USER)))
        twin._fresh = self._fresh
        return twin

    @property
    def rules(self) -> Rules:
        """The rules that the kernels follow now."""
        return self._machines.rules

    def iptables_save(self, node: str) -> str:
        """The rules of a node, as the command ``iptables-save`` shows them."""
        return iptables.save(self._machines.rules, node)

    def sync(self) -> bool:
        """Take in changed services and endpoints, and write the rules."""
        touched: set[tuple[str, str]] = set()
        for delta in self._services.sync():
            meta = delta.object["metadata"]
            touched.add((meta["namespace"], meta["name"]))
        for delta in self._slices.sync():
            touched.update(service_of(delta.object))
        if self._fresh:
            self._fresh = False
            self._machines.rules = Rules()
        if not touched:
            return False
        services = {}
        for namespace, name in sorted(touched):
            service = self._services.get(namespace, name)
            proxied = service is not None and PROXY_NAME_LABEL not in (service["metadata"].get("labels") or {})
            slices = self._slices.by_index("service", f"{namespace}/{name}")
            services[namespace, name] = service_ports(service, slices) if service is not None and proxied else []
        self._machines.rules = changed(self._machines.rules, services)
        return True

    def fire(self, key: Hashable) -> None:
        """It sets no timers."""

    def _connect(self, environment: Environment, informers: InformerFactory) -> None:
        self._informers = informers
        self._machines = environment.machines
        self._services = informers.informer(SERVICES)
        self._slices = informers.informer(
            ENDPOINTSLICES, service=lambda piece: ["/".join(key) for key in service_of(piece)]
        )
