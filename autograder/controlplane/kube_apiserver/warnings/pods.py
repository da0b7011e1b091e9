"""What is said of pods and of the templates that they are made from. Source: pkg/api/pod, ``warnings.go``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery.field import Path, quoted
from autograder.controlplane.kube_apiserver import apparmor
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.security import SECCOMP_CONTAINER, SECCOMP_POD, containers_of
from autograder.controlplane.kube_apiserver.warnings import addresses, containers, nodes, volumes
from autograder.controlplane.kube_apiserver.warnings.quantities import of_whole_bytes

Object = Mapping[str, Any]

_USE_SECCOMP_FIELD: Final = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_USE_APPARMOR_FIELD: Final = 'deprecated since v1.30; use the "appArmorProfile" field instead'
_DEPRECATED_ANNOTATIONS: Final = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_SELECTS_NOTHING: Final = "a null labelSelector results in matching no pod"


def of_new_pod(pod: Object) -> Iterator[str]:
    """What is said of a new pod."""
    yield from of_name(pod, "the Pod's hostname")
    yield from of_template(pod, None)


def of_status(pod: Object) -> Iterator[str]:
    """What is said of a pod's status."""
    for name in ("podIPs", "hostIPs"):
        path = Path("status").child(name)
        for position, one in enumerate(pod.get("status", {}).get(name) or ()):
            yield from addresses.of_address(one.get("ip", ""), path.index(position).child("ip"))


def of_profiles(pod: Object) -> Iterator[str]:
    """What is said of the AppArmor annotations of a new pod, which become fields."""
    spec = pod.get("spec", {})
    of_pod = spec.get("securityContext", {}).get("appArmorProfile")
    for _, key, profile in apparmor.annotated_containers(pod):
        if profile is None or profile != of_pod:
            yield f"{Path('metadata').child('annotations').key(key)}: {_USE_APPARMOR_FIELD}"


def of_name(obj: Object, where: str) -> Iterator[str]:
    """What is said of a name that others are made from."""
    if wrong := names.dns_label(obj["metadata"].get("name", "")):
        surprising = "which can result in surprising behavior; a DNS label is recommended"
        yield f"metadata.name: this is used in {where}, {surprising}: [{' '.join(wrong)}]"


def of_template(template: Object, path: Path | None) -> Iterator[str]:
    """What is said of the spec and metadata of a pod (``path`` is None) or of a template at ``path``."""
    spec, annotations = template.get("spec") or {}, (template.get("metadata") or {}).get("annotations") or {}
    own, notes = Path("spec", path), Path("metadata", path).child("annotations")
    yield from _of_node_selection(spec, own)
    yield from _of_spreading(spec, own.child("topologySpreadConstraints"))
    for key, message in _DEPRECATED_ANNOTATIONS.items():
        if key in annotations:
            yield f"{notes.key(key)}: {message}"
    yield from volumes.of_volumes(spec.get("volumes") or (), own.child("volumes"))
    yield from _of_repeated(spec.get("hostAliases") or (), own.child("hostAliases"), "ip")
    secrets = spec.get("imagePullSecrets") or ()
    yield from _of_repeated(secrets, own.child("imagePullSecrets"), "name")
    for position, secret in enumerate(secrets):
        if not secret.get("name"):
            yield f'{own.child("imagePullSecrets").index(position).child("name")}: invalid empty name ""'
    for resource in ("memory", "ephemeral-storage"):
        yield from of_whole_bytes(spec.get("overhead"), own.child("overhead"), resource)
    if SECCOMP_POD in annotations and not spec.get("securityContext", {}).get("seccompProfile"):
        yield f"{notes.key(SECCOMP_POD)}: {_USE_SECCOMP_FIELD}"
    for container, here in containers_of(spec, own):
        yield from _of_profiles_by_annotation(container, spec, annotations, notes, in_template=path is not None)
        yield from containers.of_container(container, here)
    yield from containers.of_ports(spec, own)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        treated = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{own.child('terminationGracePeriodSeconds')}: {treated}"
    for kind in ("podAffinity", "podAntiAffinity"):
        yield from _of_affinity(spec.get("affinity", {}).get(kind) or {}, own.child("affinity").child(kind))
    servers = own.child("dnsConfig").child("nameservers")
    for position, server in enumerate(spec.get("dnsConfig", {}).get("nameservers") or ()):
        yield from addresses.of_address(server, servers.index(position))
    for position, alias in enumerate(spec.get("hostAliases") or ()):
        yield from addresses.of_address(alias["ip"], own.child("hostAliases").index(position).child("ip"))


def _of_node_selection(spec: Object, path: Path) -> Iterator[str]:
    yield from nodes.of_labels(spec.get("nodeSelector") or {}, path.child("nodeSelector"))
    affinity = spec.get("affinity", {}).get("nodeAffinity") or {}
    path = path.child("affinity").child("nodeAffinity")
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = path.child("requiredDuringSchedulingIgnoredDuringExecution").child("nodeSelectorTerms")
    for position, term in enumerate(required.get("nodeSelectorTerms") or ()):
        yield from nodes.of_term(term, terms.index(position))
    preferred = path.child("preferredDuringSchedulingIgnoredDuringExecution")
    for position, one in enumerate(affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        here = preferred.index(position).child("preference")
        yield from nodes.of_term(one["preference"], here, check_values=True)


def _of_spreading(spec: Object, path: Path) -> Iterator[str]:
    for position, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        here, key = path.index(position), constraint["topologyKey"]
        if key in nodes.DEPRECATED_LABELS:
            yield f"{here.child('topologyKey')}: {key} is {nodes.DEPRECATED_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{here.child('labelSelector')}: {_SELECTS_NOTHING}"


def _of_affinity(affinity: Object, path: Path) -> Iterator[str]:
    required = path.child("requiredDuringSchedulingIgnoredDuringExecution")
    for position, term in enumerate(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
        if term.get("labelSelector") is None:
            yield f"{required.index(position).child('labelSelector')}: {_SELECTS_NOTHING}"
    preferred = path.child("preferredDuringSchedulingIgnoredDuringExecution")
    for position, one in enumerate(affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        if one["podAffinityTerm"].get("labelSelector") is None:
            here = preferred.index(position).child("podAffinityTerm").child("labelSelector")
            yield f"{here}: {_SELECTS_NOTHING}"


def _of_repeated(items: Any, path: Path, key: str) -> Iterator[str]:
    """What is said of entries that have the same key as one before them."""
    seen = set()
    for position, item in enumerate(items):
        value = item.get(key, "")
        if value in seen:
            yield f"{path.index(position).child(key)}: duplicate {key} {quoted(value)}"
        seen.add(value)


def _of_profiles_by_annotation(
    container: Object, spec: Object, annotations: Mapping[str, str], path: Path, *, in_template: bool
) -> Iterator[str]:
    """What is said of a container's profile that only an annotation names."""
    security = container.get("securityContext") or {}
    key = SECCOMP_CONTAINER + container["name"]
    if key in annotations and not security.get("seccompProfile"):
        yield f"{path.key(key)}: {_USE_SECCOMP_FIELD}"
    key = apparmor.ANNOTATION + container["name"]
    if in_template and key in annotations and not security.get("appArmorProfile"):
        of_pod = spec.get("securityContext", {}).get("appArmorProfile")
        if not of_pod or of_pod != apparmor.profile_of(annotations[key]):
            yield f"{path.key(key)}: {_USE_APPARMOR_FIELD}"
