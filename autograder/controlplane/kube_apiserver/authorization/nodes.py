"""The node authorizer: a kubelet reads what the pods on its node need, and writes what it must report.

Source: plugin/pkg/auth/authorizer/node.  Which object belongs to which node is looked up among the pods instead of in
a graph: only people who look through a kubelet's eyes ask here, the simulated kubelets are part of the control plane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.wire import Object, User
from autograder.controlplane.kube_apiserver.authorization.action import Action, Decision
from autograder.controlplane.kube_apiserver.authorization.rbac import CLUSTER_ROLES
from autograder.controlplane.kube_apiserver.authorization.rules import allows
from autograder.controlplane.kube_apiserver.backend import Backend

NODES_GROUP: Final = "system:nodes"
PREFIX: Final = "system:node:"
#: The ClusterRole that spells what all kubelets may do; it is bound to nobody.
_ROLE: Final = "system:node"
_LEASES: Final = "kube-node-lease"
_READING: Final = ("get", "list", "watch")
_CHANGING: Final = ("update", "patch")
_ALLOWED: Final = Decision(True)
_NO_OPINION: Final = Decision(False)


class NodeAuthorizer:
    """Speaks for the users of nodes."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._special: dict[tuple[str, str], Callable[[str, Action], Decision]] = {
            ("", "secrets"): self._read_mounted,
            ("", "configmaps"): self._read_mounted,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._get_mounted,
            ("", "serviceaccounts"): self._service_account,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
            ("coordination.k8s.io", "leases"): self._lease,
        }

    def decide(self, action: Action) -> Decision:
        """Whether a kubelet may do it; there is no opinion on anybody else."""
        if not is_node(action.user):
            return _NO_OPINION
        special = None if action.path else self._special.get((action.group, action.resource))
        if special is not None:
            return special(action.user.name.removeprefix(PREFIX), action)
        role = self._backend.read(CLUSTER_ROLES, "", _ROLE) or {}
        return Decision(any(allows(rule, action) for rule in role.get("rules") or ()))

    # ------------------------------------------------------------ one resource each

    def _read_mounted(self, node: str, action: Action) -> Decision:
        if action.verb not in _READING:
            return Decision(False, "can only read resources of this type")
        if action.subresource:
            return Decision(False, "cannot read subresource")
        if not action.namespace:
            return Decision(False, "can only read namespaced object of this type")
        return self._related(node, action)

    def _get_mounted(self, node: str, action: Action) -> Decision:
        if action.verb != "get":
            return Decision(False, "can only get individual resources of this type")
        if action.subresource:
            return Decision(False, "cannot get subresource")
        return self._related(node, action)

    def _claim(self, node: str, action: Action) -> Decision:
        if action.subresource != "status":
            return self._get_mounted(node, action)
        if action.verb not in _CHANGING:
            return Decision(False, "can only get/update/patch this type")
        return self._related(node, action)

    def _service_account(self, node: str, action: Action) -> Decision:
        if action.verb == "get" and not action.subresource:
            return self._read_mounted(node, action)
        if action.verb != "create" or not action.name:
            return Decision(False, "can only create tokens for individual service accounts")
        if action.subresource != "token":
            return Decision(False, "can only create token subresource of serviceaccount")
        return self._related(node, action)

    def _lease(self, node: str, action: Action) -> Decision:
        if action.verb not in ("get", "create", "update", "patch", "delete"):
            return Decision(False, "can only get, create, update, patch, or delete a node lease")
        if action.namespace != _LEASES:
            return Decision(False, f'can only access leases in the "{_LEASES}" system namespace')
        if action.verb != "create" and action.name != node:
            return Decision(False, "can only access node lease with the same name as the requesting node")
        return _ALLOWED

    def _node(self, node: str, action: Action) -> Decision:
        match action.subresource, action.verb:
            case (("" | "status"), ("update" | "patch")):
                return _ALLOWED
            case "", "create":
                return _ALLOWED
            case "", ("get" | "list" | "watch"):
                if action.name == node:
                    return _ALLOWED
                other = f"'{action.name}'" if action.name else "all nodes"
                return Decision(False, f"node '{node}' cannot read {other}, only its own Node object")
        return _NO_OPINION

    def _pod(self, node: str, action: Action) -> Decision:
        match action.subresource, action.verb:
            case "", "get":
                return self._related(node, action)
            case "", ("list" | "watch"):
                if f"spec.nodeName={node}" in action.fields:
                    return _ALLOWED
                if action.name:
                    return self._related(node, action)
                return Decision(False, "can only list/watch pods with spec.nodeName field selector")
            case ("", ("create" | "delete")) | ("status", ("update" | "patch")) | ("eviction", "create"):
                return _ALLOWED
        return _NO_OPINION

    # ------------------------------------------------------------ what belongs to a node

    def _related(self, node: str, action: Action) -> Decision:
        if not action.name:
            return Decision(False, "No Object name found")
        wanted = (action.resource, action.namespace, action.name)
        for pod in self._backend.read_all(scheme.PODS, action.namespace):
            if pod["spec"].get("nodeName") == node and wanted in self._needed(pod):
                return _ALLOWED
        return Decision(False, f"no relationship found between node '{node}' and this object")

    def _needed(self, pod: Object) -> Iterator[tuple[str, str, str]]:
        """The objects that a kubelet needs for a pod: resource, namespace, name."""
        namespace, spec = pod["metadata"]["namespace"], pod["spec"]
        yield "pods", namespace, pod["metadata"]["name"]
        yield "serviceaccounts", namespace, spec.get("serviceAccountName", "")
        for reference in spec.get("imagePullSecrets", ()):
            yield "secrets", namespace, reference.get("name", "")
        for resource, name in _referenced(spec):
            yield resource, namespace, name
            if resource == "persistentvolumeclaims":
                claim = self._backend.read(scheme.PERSISTENTVOLUMECLAIMS, namespace, name) or {}
                yield "persistentvolumes", "", claim.get("spec", {}).get("volumeName", "")


#: Fields that name an object, wherever in a pod they stand.
_SOURCES: Final = {
    "secret": ("secrets", "secretName"), "configMap": ("configmaps", "name"),
    "persistentVolumeClaim": ("persistentvolumeclaims", "claimName"),
    "secretKeyRef": ("secrets", "name"), "configMapKeyRef": ("configmaps", "name"),
    "secretRef": ("secrets", "name"), "configMapRef": ("configmaps", "name"),
}  # fmt: skip


def _referenced(value: Any) -> Iterator[tuple[str, str]]:
    """Every Secret, ConfigMap and claim that volumes and environment of a pod name."""
    if isinstance(value, list):
        for one in value:
            yield from _referenced(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in _SOURCES and isinstance(one, dict):
                resource, name = _SOURCES[key]
                yield resource, str(one.get(name) or one.get("name", ""))
            if isinstance(one, (dict, list)):
                yield from _referenced(one)


def is_node(user: User) -> bool:
    """Whether a user is a kubelet."""
    return NODES_GROUP in user.groups and user.name.startswith(PREFIX)
