"""What is said of nodes, quotas, Secrets and service accounts."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.field import Path
from autograder.controlplane.kube_apiserver.warnings import keypairs
from autograder.controlplane.kube_apiserver.warnings.addresses import of_network

Object = Mapping[str, Any]

MOUNTABLE_SECRETS: Final = "kubernetes.io/enforce-mountable-secrets"
_ISOLATE: Final = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
#: Resources that quotas limit both by requests and by limits, and whether ``cpu`` means ``requests.cpu``.
_REQUESTED_AND_LIMITED: Final = {"cpu": True, "memory": True, "storage": False, "ephemeral-storage": False}


def of_node(node: Object) -> Iterator[str]:
    """What is said of a node, be it new or changed."""
    spec = node.get("spec") or {}
    if "configSource" in spec:
        yield "spec.configSource: the feature is removed"
    if spec.get("externalID"):
        yield "spec.externalID: this field is deprecated, and is unused by Kubernetes"
    for position, network in enumerate(spec.get("podCIDRs") or ()):
        yield from of_network(network, Path("spec").child("podCIDRs").index(position))


def of_new_resource_quota(quota: Object) -> Iterator[str]:
    """What is said of a new quota that allows more requests than limits."""
    hard = (quota.get("spec") or {}).get("hard") or {}
    for resource, bare in _REQUESTED_AND_LIMITED.items():
        requests, limits = f"requests.{resource}", f"limits.{resource}"
        if bare and requests not in hard:
            requests = resource
        if requests in hard and limits in hard:
            request, limit = quantity.parse(hard[requests]), quantity.parse(hard[limits])
            if request > limit:
                yield f"ResourceQuota {requests} ({request}) should be less than {limits} ({limit})"


def of_secret(secret: Object) -> Iterator[str]:
    """What is said of the certificate and the key of a Secret for TLS."""
    if secret.get("type") == "kubernetes.io/tls":
        data = secret.get("data") or {}
        certificate, key = (base64.b64decode(data.get(name) or "") for name in ("tls.crt", "tls.key"))
        if problem := keypairs.problem(certificate, key):
            yield problem


def of_new_service_account(account: Object) -> Iterator[str]:
    """What is said of a new service account."""
    if MOUNTABLE_SECRETS in account["metadata"].get("annotations", {}):
        yield f"metadata.annotations[{MOUNTABLE_SECRETS}]: {_ISOLATE}"


def of_changed_service_account(new: Object, old: Object) -> Iterator[str]:
    """What is said of a service account that was not like that before."""
    if MOUNTABLE_SECRETS not in old["metadata"].get("annotations", {}):
        yield from of_new_service_account(new)
