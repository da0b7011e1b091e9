"""The admission plugins in the order of a real kube-apiserver.

Every write passes twice: mutating plugins may change ``attributes.object``, then, after validation, validating plugins
see its final state.  A plugin refuses by raising a ``StatusError``.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograder.controlplane.kube_apiserver.admission.limit_ranger import LimitRanger
from autograder.controlplane.kube_apiserver.admission.namespace_lifecycle import NamespaceLifecycle
from autograder.controlplane.kube_apiserver.admission.node_restriction import NodeRestriction
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin
from autograder.controlplane.kube_apiserver.admission.priority import Priority
from autograder.controlplane.kube_apiserver.admission.resource_quota import ResourceQuota
from autograder.controlplane.kube_apiserver.admission.service_account import ServiceAccount
from autograder.controlplane.kube_apiserver.admission.small_plugins import (
    DefaultStorageClass,
    DefaultTolerationSeconds,
    StorageObjectInUseProtection,
    TaintNodesByCondition,
)
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.backend import Backend

ORDER: Sequence[type[Plugin]] = (
    NamespaceLifecycle,
    LimitRanger,
    ServiceAccount,
    NodeRestriction,
    TaintNodesByCondition,
    Priority,
    DefaultTolerationSeconds,
    DefaultStorageClass,
    StorageObjectInUseProtection,
    ResourceQuota,
)


class AdmissionChain:
    """All plugins over the state of one cluster."""

    def __init__(self, backend: Backend) -> None:
        self._plugins = [plugin(backend) for plugin in ORDER]

    def admit(self, attributes: Attributes) -> None:
        """Let the mutating plugins complete the object."""
        for plugin in self._plugins:
            plugin.admit(attributes)

    def validate(self, attributes: Attributes) -> None:
        """Let the validating plugins judge the object."""
        for plugin in self._plugins:
            plugin.validate(attributes)
