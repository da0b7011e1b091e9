"""The root CA publisher: the certificate of the cluster's authority in every namespace, as kube-root-ca.crt.

Pods mount it to check the API server by.  Source: pkg/controller/certificates/rootcacertpublisher.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import AlreadyExists, NotFound
from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, NAMESPACES
from autograder.controlplane.client.informer import Delta
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions

NAME: Final = "kube-root-ca.crt"
DESCRIPTION: Final = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
#: The authority of the simulated cluster; the same for all, so that equal clusters are equal byte by byte.
CERTIFICATE: Final = """\
-----BEGIN CERTIFICATE-----
MIIBKzCB0qADAgECAgEBMAoGCCqGSM49BAMCMBUxEzARBgNVBAMMCmt1YmVybmV0
ZXMwHhcNMjYwMTAxMDAwMDAwWhcNMzYwMTAxMDAwMDAwWjAVMRMwEQYDVQQDDApr
dWJlcm5ldGVzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEkoll05hwMQjlvUEm
74p9W/5Nh5/KA9abKsd35Z4kRnlEM2yvXoK+5xDuDXdVHBqLM84YaxIVHdDA1/Rh
CJ6O4qMTMBEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAp9og
ZHnemLjt5qIR+avuToKF2CF+94PgFTEHc7tN/SsCIHEIVBvIuzPqnJHotHlaYnOx
+DzFEXX16mwMvCDiDO4+
-----END CERTIFICATE-----
"""


class RootCACertPublisher(Controller):
    """Keeps the ConfigMap in every namespace as it should be."""

    name = "root-ca-certificate-publisher-controller"
    service_account = "root-ca-cert-publisher"
    event_source = "root-ca-certificate-publisher"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.namespaces = self.informers.informer(NAMESPACES)
        self.config_maps = self.informers.informer(CONFIGMAPS)

    def subscriptions(self) -> Subscriptions:
        return {self.namespaces: self.on_namespace, self.config_maps: self.on_config_map}

    def on_namespace(self, delta: Delta) -> None:
        if delta.new is not None:
            self.queue.add(delta.new["metadata"]["name"])

    def on_config_map(self, delta: Delta) -> None:
        if delta.old is not None and delta.object["metadata"]["name"] == NAME:
            self.queue.add(delta.object["metadata"]["namespace"])

    def reconcile(self, key: str) -> None:
        namespace = self.namespaces.get("", key)
        if namespace is None or namespace.get("status", {}).get("phase") != "Active":
            return
        existing = self.config_maps.get(key, NAME)
        data, note = {"ca.crt": CERTIFICATE}, {"kubernetes.io/description": DESCRIPTION}
        if existing is None:
            wanted = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": NAME, "namespace": key, "annotations": note},
                "data": data,
            }
            try:
                self.client.create(CONFIGMAPS, key, wanted)
            except (AlreadyExists, NotFound):
                # It has just been created, or the namespace is gone: either way there is nothing left to do.
                return
            return
        annotations = existing["metadata"].get("annotations", {})
        if existing.get("data") == data and annotations.items() >= note.items():
            return
        metadata = {**existing["metadata"], "annotations": annotations | note}
        self.client.update(CONFIGMAPS, {**existing, "metadata": metadata, "data": data})
