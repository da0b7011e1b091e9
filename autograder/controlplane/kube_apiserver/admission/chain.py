"""The admission plugins in the order of a real kube-apiserver.

Every write passes twice: mutating plugins may change ``attributes.object``, then, after validation, validating plugins
see its final state.  A plugin refuses by raising a ``StatusError``.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from autograder.controlplane.apimachinery.tracing import RequestTrace, changes
from autograder.controlplane.kube_apiserver.admission.claim_resize import PersistentVolumeClaimResize
from autograder.controlplane.kube_apiserver.admission.limit_ranger import LimitRanger
from autograder.controlplane.kube_apiserver.admission.namespace_lifecycle import NamespaceLifecycle
from autograder.controlplane.kube_apiserver.admission.node_restriction import NodeRestriction
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin
from autograder.controlplane.kube_apiserver.admission.pod_resize import (
    NodeDeclaredFeatureValidator,
    PodResizeValidator,
)
from autograder.controlplane.kube_apiserver.admission.pod_security import PodSecurity
from autograder.controlplane.kube_apiserver.admission.pod_topology_labels import PodTopologyLabels
from autograder.controlplane.kube_apiserver.admission.priority import Priority
from autograder.controlplane.kube_apiserver.admission.resource_quota import ResourceQuota
from autograder.controlplane.kube_apiserver.admission.runtime_class import RuntimeClass
from autograder.controlplane.kube_apiserver.admission.service_account import ServiceAccount
from autograder.controlplane.kube_apiserver.admission.small_plugins import (
    DefaultIngressClass,
    DefaultStorageClass,
    DefaultTolerationSeconds,
    StorageObjectInUseProtection,
    TaintNodesByCondition,
)
from autograder.controlplane.kube_apiserver.attributes import OPERATIONS, Attributes, Operation
from autograder.controlplane.kube_apiserver.backend import Backend

ORDER: Sequence[type[Plugin]] = (
    NamespaceLifecycle,
    LimitRanger,
    ServiceAccount,
    NodeRestriction,
    TaintNodesByCondition,
    PodSecurity,
    Priority,
    DefaultTolerationSeconds,
    DefaultStorageClass,
    StorageObjectInUseProtection,
    PersistentVolumeClaimResize,
    RuntimeClass,
    DefaultIngressClass,
    PodTopologyLabels,
    NodeDeclaredFeatureValidator,
    PodResizeValidator,
    ResourceQuota,
)


class AdmissionChain:
    """All plugins over the state of one cluster."""

    def __init__(self, backend: Backend) -> None:
        plugins = [plugin(backend) for plugin in ORDER]
        mutating = [plugin for plugin in plugins if type(plugin).admit is not Plugin.admit]
        validating = [plugin for plugin in plugins if type(plugin).validate is not Plugin.validate]
        self._mutating = {operation: _asked(mutating, operation) for operation in OPERATIONS}
        self._validating = {operation: _asked(validating, operation) for operation in OPERATIONS}

    def admit(self, attributes: Attributes) -> None:
        """Let the mutating plugins complete the object."""
        if attributes.trace is not None:
            self._admit_traced(attributes, attributes.trace)
            return
        for plugin in self._mutating[attributes.operation]:
            plugin.admit(attributes)

    def validate(self, attributes: Attributes) -> None:
        """Let the validating plugins judge the object."""
        trace = attributes.trace
        for plugin in self._validating[attributes.operation]:
            if trace is not None:
                trace.enter(f"validating admission by {type(plugin).__name__}")
            plugin.validate(attributes)
            if trace is not None:
                trace.passed()

    def _admit_traced(self, attributes: Attributes, trace: RequestTrace) -> None:
        for plugin in self._mutating[attributes.operation]:
            trace.enter(f"mutating admission by {type(plugin).__name__}")
            before = copy.deepcopy(attributes.object)
            plugin.admit(attributes)
            trace.passed(changed=changes(before, attributes.object))


def _asked(plugins: Sequence[Plugin], operation: Operation) -> list[Plugin]:
    """The plugins that look at an operation."""
    return [plugin for plugin in plugins if operation in plugin.operations]
