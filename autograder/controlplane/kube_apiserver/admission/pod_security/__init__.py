"""PodSecurity: namespaces say by labels which of the Pod Security Standards their pods must meet.

A pod that does not meet the level of ``enforce`` is refused. The client is warned of a pod that does not meet the level
of ``warn``, and of a workload whose template does not. The labels of ``audit`` are validated and have no other effect:
there is no audit log.

Source: admission/admission.go of k8s.io/pod-security-admission.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import Forbidden, Invalid
from autograder.controlplane.apimachinery.scheme import NAMESPACES, PODS, ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin
from autograder.controlplane.kube_apiserver.admission.pod_security import policy
from autograder.controlplane.kube_apiserver.admission.pod_security.checks import violations
from autograder.controlplane.kube_apiserver.admission.pod_security.policy import Policy, Standard
from autograder.controlplane.kube_apiserver.attributes import Attributes

#: Where the kinds that make pods keep the template.
TEMPLATES: Final[Mapping[ResourceType, tuple[str, ...]]] = {
    scheme.resource("podtemplates"): ("template",),
    scheme.REPLICATIONCONTROLLERS: ("spec", "template"),
    scheme.REPLICASETS: ("spec", "template"),
    scheme.DEPLOYMENTS: ("spec", "template"),
    scheme.STATEFULSETS: ("spec", "template"),
    scheme.DAEMONSETS: ("spec", "template"),
    scheme.JOBS: ("spec", "template"),
    scheme.CRONJOBS: ("spec", "jobTemplate", "spec", "template"),
}
#: Parts of pods through which nothing gets in that a standard speaks of.
_HARMLESS: Final = frozenset({"attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"})


class PodSecurity(Plugin):
    """Refuses pods, and warns of pods and workloads, by the labels of their namespace."""

    def validate(self, attributes: Attributes) -> None:
        if attributes.kind is PODS:
            self._judge_pod(attributes)
        elif attributes.subresource:
            return
        elif attributes.kind is NAMESPACES:
            self._judge_namespace(attributes)
        elif attributes.kind in TEMPLATES:
            self._judge_workload(attributes)

    def _judge_pod(self, attributes: Attributes) -> None:
        pod, old = attributes.object, attributes.old
        if pod is None or attributes.subresource in _HARMLESS:
            return
        wanted = self._policy(attributes.namespace)
        if wanted == Policy():
            return
        if old is not None and not _brings_images(pod["spec"], old["spec"]):
            return
        if found := violations(wanted.enforce, pod["metadata"], pod["spec"]):
            why = f'violates PodSecurity "{wanted.enforce}": {", ".join(map(str, found))}'
            raise Forbidden.on(PODS.plural, PODS.group, attributes.name, why)
        _warn(attributes, wanted.warn, pod)

    def _judge_workload(self, attributes: Attributes) -> None:
        wanted = self._policy(attributes.namespace)
        if wanted.warn == Standard():
            return
        template = attributes.object
        for key in TEMPLATES[attributes.kind]:
            template = (template or {}).get(key)
        if template:
            _warn(attributes, wanted.warn, template)

    def _judge_namespace(self, attributes: Attributes) -> None:
        namespace, old = attributes.object, attributes.old
        assert namespace is not None
        wanted, errors = policy.of_labels(_labels(namespace))
        before, errors_before = policy.of_labels(_labels(old or {}))
        if errors and [str(error) for error in errors] != [str(error) for error in errors_before]:
            raise Invalid.on(NAMESPACES.kind, NAMESPACES.group, attributes.name, errors)
        enforce = wanted.enforce
        is_relaxed = enforce.version == before.enforce.version and not enforce.is_stricter_than(before.enforce)
        if old is not None and not is_relaxed:
            attributes.warnings += self._pods_that_violate(attributes.name, enforce)

    def _pods_that_violate(self, namespace: str, enforce: Standard) -> list[str]:
        """What is said of pods that are there already when their namespace becomes stricter."""
        names = defaultdict(list)
        for pod in self.backend.read_all(PODS, namespace):
            if found := violations(enforce, pod["metadata"], pod["spec"]):
                names[", ".join(one.reason for one in found)].append(pod["metadata"]["name"])
        if not names:
            return []
        told = sorted(f"{min(pods)}{_others(len(pods) - 1)}: {reasons}" for reasons, pods in names.items())
        return [
            f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{enforce}"',
            *told,
        ]

    def _policy(self, namespace: str) -> Policy:
        found = self.backend.read(NAMESPACES, "", namespace)
        return policy.of_labels(_labels(found or {}))[0]


def _labels(namespace: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = namespace.get("metadata", {}).get("labels") or {}
    return labels


def _warn(attributes: Attributes, standard: Standard, pod: Object) -> None:
    if found := violations(standard, pod.get("metadata") or {}, pod["spec"]):
        attributes.warnings.append(f'would violate PodSecurity "{standard}": {", ".join(map(str, found))}')


def _others(number: int) -> str:
    return f" (and {number} other {'pod' if number == 1 else 'pods'})" if number else ""


def _brings_images(new: Object, old: Object) -> bool:
    """Whether an update of a pod is judged: it has other containers, or other images."""
    for group in ("containers", "initContainers"):
        ours, theirs = new.get(group) or (), old.get(group) or ()
        if [one.get("image") for one in ours] != [one.get("image") for one in theirs]:
            return True
    known = {one["name"]: one.get("image") for one in old.get("ephemeralContainers") or ()}
    return any(one.get("image") != known.get(one["name"]) for one in new.get("ephemeralContainers") or ())
