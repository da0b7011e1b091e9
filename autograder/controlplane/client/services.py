"""Services with their EndpointSlices, as those follow them who turn them into rules or names: kube-proxy, CoreDNS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from autograder.controlplane.apimachinery.scheme import ENDPOINTSLICES, SERVICES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.client import Client
from autograder.controlplane.client.informer import InformerFactory, object_key, split_key

#: The label by which an EndpointSlice names its Service.
SERVICE_NAME: Final = "kubernetes.io/service-name"
_BY_SERVICE: Final = "service"


class ServiceInformer:
    """All Services and EndpointSlices, as of the last ``changed``."""

    def __init__(self, client: Client, informers: InformerFactory | None = None) -> None:
        self._informers = informers or InformerFactory(client)
        self._services = self._informers.informer(SERVICES)
        self._slices = self._informers.informer(ENDPOINTSLICES, **{_BY_SERVICE: by_service})

    def fork(self, client: Client) -> ServiceInformer:
        """The same collections for a fork of the cluster."""
        return ServiceInformer(client, self._informers.fork(client))

    def changed(self) -> list[tuple[str, str]]:
        """Take in what has happened; namespace and name of each Service that it is about, in order."""
        if not self._informers.has_news():
            return []
        keys = {object_key(delta.object) for delta in self._services.sync()}
        for delta in self._slices.sync():
            keys.update(by_service(delta.object))
        self._informers.caught_up()
        return sorted(map(split_key, keys))

    def get(self, namespace: str, name: str) -> tuple[Object | None, list[Object]]:
        """The Service, or None, and its slices."""
        return self._services.get(namespace, name), self._slices.by_index(_BY_SERVICE, f"{namespace}/{name}")


def by_service(piece: Object) -> Iterable[str]:
    """Index: the key of the Service that an EndpointSlice belongs to, if there is one."""
    meta = piece["metadata"]
    name = (meta.get("labels") or {}).get(SERVICE_NAME)
    return (f"{meta['namespace']}/{name}",) if name else ()
