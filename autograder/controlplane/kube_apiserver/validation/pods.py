"""Rules for new pods, and for the pod templates of other kinds.

The order is that of ValidatePodCreate and ValidatePodSpec in pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field, integers
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.types.unversioned import unversioned
from autograder.controlplane.kube_apiserver.parsing import parse
from autograder.controlplane.kube_apiserver.reading import reader_of
from autograder.controlplane.kube_apiserver.unreadable import Broken
from autograder.controlplane.kube_apiserver.validation import containers, names, resources, security, windows
from autograder.controlplane.kube_apiserver.validation.addresses import validate_address
from autograder.controlplane.kube_apiserver.validation.environment import validate_file_keys
from autograder.controlplane.kube_apiserver.validation.meta import (
    annotation_map,
    invalid,
    labels,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.placement import (
    validate_affinity,
    validate_spread_constraints,
    validate_tolerations,
)
from autograder.controlplane.kube_apiserver.validation.rules import one_of, required_one_of
from autograder.controlplane.kube_apiserver.validation.volumes import validate_volumes

Object = Mapping[str, Any]

RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
DNS_POLICIES: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTION_POLICIES: Final = ("PreemptLowerPriority", "Never")
NAMESERVERS_LIMIT: Final = 3
SEARCHES_LIMIT: Final = 32
SEARCHES_LENGTH: Final = 2048
HOSTNAME_LENGTH: Final = 64
MIRROR: Final = "kubernetes.io/config.mirror"
DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
TOLERATIONS: Final = "scheduler.alpha.kubernetes.io/tolerations"
#: Names in a pod's spec that only have to be well formed, in the order of the messages.
_NAMES: Final = (("hostname", names.dns_label), ("subdomain", names.dns_label))
_SPEC: Final = Path("spec")


def validate_pod(pod: Object) -> Iterator[FieldError]:
    """A new pod."""
    spec = pod["spec"]
    yield from validate_pod_metadata_and_spec(pod)
    if spec.get("ephemeralContainers"):
        yield field.forbidden(_SPEC.child("ephemeralContainers"), "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield field.forbidden(_SPEC.child("nodeName"), "cannot be set until all schedulingGates have been cleared")
    yield from security.validate_profiles_agree(pod["metadata"], spec, _SPEC)


def validate_pod_metadata_and_spec(pod: Object) -> Iterator[FieldError]:
    """What holds for a pod whenever it is written."""
    metadata, spec = pod["metadata"], pod["spec"]
    yield from validate_metadata(metadata, namespaced=True)
    yield from validate_pod_annotations(metadata, spec, Path("metadata").child("annotations"))
    yield from validate_pod_spec(spec, metadata, _SPEC, is_pod=True)
    if not spec.get("serviceAccountName"):
        for position, volume in enumerate(spec.get("volumes", ())):
            for place, source in enumerate(volume.get("projected", {}).get("sources") or ()):
                if "serviceAccountToken" in source:
                    at = _SPEC.child("volumes").index(position).child("projected").child("sources").index(place)
                    why = "must not be specified when serviceAccountName is not set"
                    yield field.forbidden(at.child("serviceAccountToken"), why)
    for name in ("containers", "initContainers"):
        for position, container in enumerate(spec.get(name) or ()):
            yield from containers.validate_image_of_pod(container, _SPEC.child(name).index(position))


def validate_pod_template_object(template: Object) -> Iterator[FieldError]:
    """A new PodTemplate, which may hold pods that restart in any way."""
    yield from validate_metadata(template["metadata"], namespaced=True)
    yield from validate_pod_template(template["template"], Path("template"))


def validate_pod_template_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed PodTemplate: any other template will do."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from validate_pod_template(new["template"], Path("template"))


def validate_pod_template(template: Object, path: Path) -> Iterator[FieldError]:
    """The template of pods in another object."""
    metadata, spec = template["metadata"], template["spec"]
    yield from labels(metadata.get("labels"), path.child("labels"))
    yield from annotation_map(metadata.get("annotations"), path.child("annotations"))
    yield from validate_pod_annotations(metadata, spec, path.child("annotations"))
    yield from validate_pod_spec(spec, {}, path.child("spec"), is_pod=False)
    yield from security.validate_profiles_agree(metadata, spec, path.child("spec"))
    if spec.get("ephemeralContainers"):
        at = path.child("spec").child("ephemeralContainers")
        yield field.forbidden(at, "ephemeral containers not allowed in pod template")


def validate_pod_spec(spec: Object, metadata: Object, path: Path, *, is_pod: bool) -> Iterator[FieldError]:
    """The spec of a pod or of a template; ``metadata`` is empty for a template."""
    volumes, errors = validate_volumes(
        spec.get("volumes", []), metadata.get("name", ""), path.child("volumes"), is_pod=is_pod
    )
    yield from errors
    yield from _resource_claims(spec.get("resourceClaims", []), metadata, path.child("resourceClaims"))
    pod = containers.PodContext(spec, volumes)
    yield from containers.validate_containers(spec.get("containers"), path.child("containers"), pod)
    init, ephemeral = spec.get("initContainers", []), spec.get("ephemeralContainers", [])
    yield from containers.validate_init_containers(init, path.child("initContainers"), pod)
    yield from containers.validate_ephemeral_containers(ephemeral, path.child("ephemeralContainers"), pod)
    yield from resources.validate_pod_resources(spec, path.child("resources"))
    yield from _host_network(spec, path.child("containers"), is_pod)
    yield from required_one_of(spec.get("restartPolicy", ""), path.child("restartPolicy"), RESTART_POLICIES)
    yield from required_one_of(spec.get("dnsPolicy", ""), path.child("dnsPolicy"), DNS_POLICIES)
    yield from labels(spec.get("nodeSelector"), path.child("nodeSelector"))
    yield from security.validate_pod_security(spec, path.child("securityContext"))
    yield from validate_affinity(spec.get("affinity", {}), path.child("affinity"))
    yield from _dns_config(spec.get("dnsConfig"), spec.get("dnsPolicy"), path.child("dnsConfig"))
    yield from _gates(spec, path)
    spread = spec.get("topologySpreadConstraints", [])
    yield from validate_spread_constraints(spread, path.child("topologySpreadConstraints"))
    yield from windows.validate_host_process(spec, security.containers_of(spec, path), path)
    yield from _host_users(spec, path)
    yield from _hostname_override(spec, path.child("hostnameOverride"))
    for name in ("serviceAccountName", "nodeName"):
        if given := spec.get(name):
            yield from invalid(path.child(name), given, names.dns_subdomain(given))
    if "activeDeadlineSeconds" in spec:
        deadline = spec["activeDeadlineSeconds"]
        yield from invalid(path.child("activeDeadlineSeconds"), deadline, names.in_range(deadline, 1, 2**31 - 1))
    for name, check in _NAMES:
        if given := spec.get(name):
            yield from invalid(path.child(name), given, check(given))
    yield from validate_tolerations(spec.get("tolerations", []), path.child("tolerations"))
    yield from _host_aliases(spec.get("hostAliases", []), path.child("hostAliases"))
    if given := spec.get("priorityClassName"):
        yield from invalid(path.child("priorityClassName"), given, names.dns_subdomain(given))
    if "runtimeClassName" in spec:
        given = spec["runtimeClassName"]
        yield from invalid(path.child("runtimeClassName"), given, names.dns_subdomain(given))
    if "preemptionPolicy" in spec:
        yield from required_one_of(spec["preemptionPolicy"], path.child("preemptionPolicy"), PREEMPTION_POLICIES)
    if "overhead" in spec:
        yield from resources.validate_overhead(spec["overhead"], path.child("overhead"))
    if "os" in spec:
        yield from _operating_system(spec, path)
    if "schedulingGroup" in spec:
        yield from _scheduling_group(spec["schedulingGroup"], path.child("schedulingGroup").child("podGroupName"))
    yield from validate_file_keys(spec, path)


# ---------------------------------------------------------------- annotations


def validate_pod_annotations(metadata: Object, spec: Object, path: Path) -> Iterator[FieldError]:
    """Annotations to which Kubernetes gives a meaning in pods."""
    given = metadata.get("annotations", {})
    if MIRROR in given and not spec.get("nodeName"):
        yield field.invalid(path.key(MIRROR), given[MIRROR], "must set spec.nodeName if mirror pod annotation is set")
    if text := given.get(TOLERATIONS):
        yield from _annotated_tolerations(text, path)
    if DELETION_COST in given and not _is_deletion_cost(given[DELETION_COST]):
        yield field.invalid(path.key(DELETION_COST), given[DELETION_COST], "must be a 32bit integer")
    every = {container["name"] for container, _ in security.containers_of(spec, path)}
    yield from security.validate_profile_annotations(given, every, path)


def _annotated_tolerations(text: str, path: Path) -> Iterator[FieldError]:
    try:
        tolerations = reader_of("[]core/v1.Toleration")(parse(text.encode()), [])
    except Broken as error:
        yield field.invalid(path, TOLERATIONS, error.why)
        return
    except ValueError as error:
        yield field.invalid(path, TOLERATIONS, str(error))
        return
    yield from validate_tolerations(tolerations, path.child(TOLERATIONS))


def _is_deletion_cost(text: str) -> bool:
    cost = integers.read(text)
    return cost is not None and -(2**31) <= cost < 2**31 and re.match(r"-|[1-9]|0$", text) is not None


# ---------------------------------------------------------------- parts of the spec


def _resource_claims(claims: list[Object], metadata: Object, path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for position, claim in enumerate(claims):
        if MIRROR in metadata.get("annotations", {}):
            yield field.forbidden(Path(""), "static pods do not support resource claims")
            continue
        at, name = path.index(position), claim["name"]
        if not name:
            yield field.required(at.child("name"))
        elif name in seen:
            yield field.duplicate(at.child("name"), name)
        else:
            yield from invalid(at.child("name"), name, names.dns_label(name))
            seen.add(name)
        given = [one for one in ("resourceClaimName", "resourceClaimTemplateName") if one in claim]
        printed = unversioned(claim, "core.PodResourceClaim")
        if len(given) > 1:
            why = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            yield field.invalid(at, printed, why)
        if not given:
            yield field.invalid(at, printed, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
        for one in given:
            yield from invalid(at.child(one), claim[one], names.dns_subdomain(claim[one]))


def _host_network(spec: Object, path: Path, is_pod: bool) -> Iterator[FieldError]:
    """On the host's network a container's port is a port of the host."""
    if not spec.get("hostNetwork"):
        return
    for position, container in enumerate(spec.get("containers") or ()):
        for place, port in enumerate(container.get("ports", ())):
            host = port.get("hostPort", 0)
            if (is_pod or host) and host != port["containerPort"]:
                at = path.index(position).child("ports").index(place).child("hostPort")
                yield field.invalid(at, host, "must match `containerPort` when `hostNetwork` is true")


def _dns_config(config: Object | None, policy: str | None, path: Path) -> Iterator[FieldError]:
    if policy == "None" and config is None:
        yield field.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
        return
    servers, searches = (config or {}).get("nameservers", []), (config or {}).get("searches", [])
    if policy == "None" and not servers:
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield field.required(path.child("nameservers"), why)
        return
    if len(servers) > NAMESERVERS_LIMIT:
        why = f"must not have more than {NAMESERVERS_LIMIT} nameservers"
        yield field.invalid(path.child("nameservers"), servers, why)
    for position, server in enumerate(servers):
        yield from validate_address(server, path.child("nameservers").index(position))
    if len(searches) > SEARCHES_LIMIT:
        yield field.invalid(path.child("searches"), searches, f"must not have more than {SEARCHES_LIMIT} search paths")
    if len(" ".join(searches).encode()) > SEARCHES_LENGTH:
        why = f"must not have more than {SEARCHES_LENGTH} characters (including spaces) in the search list"
        yield field.invalid(path.child("searches"), searches, why)
    for position, search in enumerate(searches):
        if search != ".":
            domain = search.removesuffix(".")
            at = path.child("searches").index(position)
            yield from invalid(at, domain, names.dns_subdomain_with_underscore(domain))
    for position, option in enumerate((config or {}).get("options", ())):
        if not option.get("name"):
            yield field.required(path.child("options").index(position), "must not be empty")


def _gates(spec: Object, path: Path) -> Iterator[FieldError]:
    for position, gate in enumerate(spec.get("readinessGates", ())):
        at = path.child("readinessGates").index(position).child("conditionType")
        yield from invalid(at, gate["conditionType"], names.label_key(gate["conditionType"]))
    seen: set[str] = set()
    for position, gate in enumerate(spec.get("schedulingGates", ())):
        at, name = path.child("schedulingGates").index(position), gate["name"]
        yield from invalid(at, name, names.label_key(name))
        if name in seen:
            yield field.duplicate(at, name)
        seen.add(name)


def _host_users(spec: Object, path: Path) -> Iterator[FieldError]:
    if spec.get("hostUsers") is not False:
        return
    for given, called in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(given):
            yield field.forbidden(path.child(called), "when `hostUsers` is false")
    for container, at in security.containers_of(spec, path):
        if container.get("volumeDevices"):
            yield field.forbidden(at.child("volumeDevices"), "when `hostUsers` is false")


def _hostname_override(spec: Object, path: Path) -> Iterator[FieldError]:
    hostname = spec.get("hostnameOverride")
    if hostname is None:
        return
    if spec.get("setHostnameAsFQDN"):
        yield field.forbidden(path, "may not be specified when setHostnameAsFQDN is true")
    if spec.get("hostNetwork"):
        yield field.forbidden(path, "may not be specified when hostNetwork is true")
    if len(hostname.encode()) > HOSTNAME_LENGTH:
        yield field.too_long(path, HOSTNAME_LENGTH)
    yield from invalid(path, hostname, names.dns_subdomain(hostname))


def _host_aliases(aliases: list[Object], path: Path) -> Iterator[FieldError]:
    for position, alias in enumerate(aliases):
        yield from validate_address(alias["ip"], path.index(position).child("ip"))
        for place, hostname in enumerate(alias.get("hostnames", ())):
            at = path.index(position).child("hostnames").index(place)
            yield from invalid(at, hostname, names.dns_subdomain(hostname))


def _operating_system(spec: Object, path: Path) -> Iterator[FieldError]:
    name = spec["os"]["name"]
    every = security.containers_of(spec, path)
    if not name:
        yield field.required(path.child("os").child("name"))
    elif name == "linux":
        yield from windows.validate_linux_pod(spec, every, path)
    elif name == "windows":
        yield from windows.validate_windows_pod(spec, every, path)
    else:
        yield from one_of(name, path.child("os"), ("linux", "windows"))


def _scheduling_group(group: Object, path: Path) -> Iterator[FieldError]:
    name = group.get("podGroupName")
    if name is None:
        yield field.invalid(path, None, "must specify one of: `podGroupName`")
    else:
        yield from invalid(path, name, names.dns_subdomain(name))
