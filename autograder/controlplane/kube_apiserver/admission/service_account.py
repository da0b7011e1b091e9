"""ServiceAccount: every pod runs as a service account, and its token is mounted into every container."""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery.pod_spec import initial_containers
from autograder.controlplane.apimachinery.scheme import PODS, SERVICEACCOUNTS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin, forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes

TOKEN_FOLDER: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_VOLUME: Final = "kube-api-access-"
TOKEN_SECONDS: Final = 3607
MIRROR_ANNOTATION: Final = "kubernetes.io/config.mirror"


class ServiceAccount(Plugin):
    """Names the service account of a new pod and mounts its token; a mirror pod may have none."""

    def admit(self, attributes: Attributes) -> None:
        if not _is_new_pod(attributes):
            return
        pod = attributes.object
        assert pod is not None
        spec = pod["spec"]
        if MIRROR_ANNOTATION in pod["metadata"].get("annotations", {}):
            return
        if not spec.get("serviceAccountName"):
            spec["serviceAccountName"] = spec["serviceAccount"] = "default"
        account = self._account(attributes, spec)
        if self._mounts_token(account, spec):
            self._mount_token(spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [dict(one) for one in account["imagePullSecrets"]]

    def validate(self, attributes: Attributes) -> None:
        if not _is_new_pod(attributes):
            return
        pod = attributes.object
        assert pod is not None
        if MIRROR_ANNOTATION in pod["metadata"].get("annotations", {}):
            if pod["spec"].get("serviceAccountName"):
                raise forbidden(attributes, "a mirror pod may not reference service accounts")
            return
        self._account(attributes, pod["spec"])

    def _account(self, attributes: Attributes, spec: Object) -> Object:
        name = spec.get("serviceAccountName", "")
        account = self.backend.read(SERVICEACCOUNTS, attributes.namespace, name)
        if account is None:
            why = f'error looking up service account {attributes.namespace}/{name}: serviceaccount "{name}" not found'
            raise forbidden(attributes, why)
        return account

    @staticmethod
    def _mounts_token(account: Object, spec: Object) -> bool:
        if "automountServiceAccountToken" in spec:
            return bool(spec["automountServiceAccountToken"])
        return bool(account.get("automountServiceAccountToken", True))

    def _mount_token(self, spec: Object) -> None:
        existing = next((one["name"] for one in spec.get("volumes", ()) if one["name"].startswith(TOKEN_VOLUME)), "")
        volume = existing or TOKEN_VOLUME + self.backend.suffix()
        mounted = False
        for container in initial_containers(spec):
            mounts = container.get("volumeMounts", [])
            if all(mount.get("mountPath") != TOKEN_FOLDER for mount in mounts):
                container["volumeMounts"] = [*mounts, {"name": volume, "readOnly": True, "mountPath": TOKEN_FOLDER}]
                mounted = True
        if mounted and not existing:
            spec["volumes"] = [*spec.get("volumes", ()), _token_volume(volume)]


def _is_new_pod(attributes: Attributes) -> bool:
    return attributes.kind is PODS and attributes.operation == "CREATE" and not attributes.subresource


def _token_volume(name: str) -> dict[str, Any]:
    """The projected volume with the token, the cluster's CA and the namespace."""
    return {
        "name": name,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {
                    "downwardAPI": {
                        "items": [
                            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                        ]
                    }
                },
            ],
            "defaultMode": 420,
        },
    }
