"""CoreDNS: watches Services and EndpointSlices, and keeps the zone ``cluster.local`` on the machines."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Self

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.client.services import ServiceInformer
from autograder.controlplane.component import Environment
from autograder.controlplane.containers.dns import Record, Zone

USER: Final = "system:serviceaccount:kube-system:coredns"


class CoreDNS:
    """The name server of the cluster."""

    name = "coredns"

    def __init__(self, environment: Environment, informer: ServiceInformer | None = None) -> None:
        self._machines = environment.machines
        self._informer = informer or ServiceInformer(_client(environment))

    def fork(self, environment: Environment) -> Self:
        return type(self)(environment, self._informer.fork(_client(environment)))

    def sync(self) -> bool:
        """Take in changed services and endpoints."""
        changed = self._informer.changed()
        if not changed:
            return False
        services = dict(self._machines.zone.services)
        for namespace, name in changed:
            service, slices = self._informer.get(namespace, name)
            if service is None:
                services.pop((namespace, name), None)
            else:
                services[namespace, name] = record_of(service, slices)
        self._machines.zone = Zone(services)
        return True

    def fire(self, key: Hashable) -> None:
        """It sets no timers."""


def record_of(service: Object, slices: list[Object]) -> Record:
    """The record of a service."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return Record((), (), spec.get("externalName", "").rstrip("."))
    publish = spec.get("publishNotReadyAddresses", False)
    endpoints = [
        endpoint for piece in slices for endpoint in piece.get("endpoints") or ()
        if publish or endpoint.get("conditions", {}).get("ready", True)
    ]  # fmt: skip
    hosts = tuple(
        (endpoint.get("hostname") or address.replace(".", "-"), address)
        for endpoint in endpoints for address in endpoint["addresses"]
    )  # fmt: skip
    cluster_ip = spec.get("clusterIP", "")
    if cluster_ip and cluster_ip != "None":
        return Record((cluster_ip,), ())
    return Record(tuple(dict.fromkeys(address for _, address in hosts)), hosts)


def _client(environment: Environment) -> Client:
    return environment.client(USER, "system:serviceaccounts")
