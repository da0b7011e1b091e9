"""Rules for the containers of a pod: ports, environment, mounts, probes, hooks, resources, restarts.

Source: pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names, resources
from autograder.controlplane.kube_apiserver.validation.environment import validate_environment
from autograder.controlplane.kube_apiserver.validation.meta import invalid
from autograder.controlplane.kube_apiserver.validation.mounts import validate_devices, validate_mounts
from autograder.controlplane.kube_apiserver.validation.probes import validate_lifecycle, validate_probes
from autograder.controlplane.kube_apiserver.validation.rules import one_of, required_one_of
from autograder.controlplane.kube_apiserver.validation.security import validate_container_security

Object = Mapping[str, Any]

PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
RESTART_POLICIES: Final = ("Always", "Never", "OnFailure")
RESTART_ACTIONS: Final = ("Restart", "RestartAllContainers")
RULES_NEED_POLICY: Final = "must specify restartPolicy when restart rules are used"
RESTART_RULES_LIMIT: Final = 20
EXIT_CODES_LIMIT: Final = 255
RESIZABLE: Final = ("cpu", "memory")
RESIZE_POLICIES: Final = ("NotRequired", "RestartContainer")
#: What only containers that go on running may have.
ONGOING: Final = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
ONLY_SIDECARS: Final = "may not be set for init containers without restartPolicy=Always"
#: Fields that an ephemeral container may not have, in order.
NOT_EPHEMERAL: Final = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip
FORBIDDEN_EPHEMERAL: Final = "cannot be set for an Ephemeral Container"


@dataclass(frozen=True, slots=True)
class PodContext:
    """What the rules of a container need to know of its pod."""

    spec: Object
    volumes: Mapping[str, Object]

    @property
    def claims(self) -> list[str]:
        """Names of the resource claims of the pod."""
        return sorted({claim["name"] for claim in self.spec.get("resourceClaims", ()) if claim["name"]})

    @property
    def host_users(self) -> bool:
        """Whether users in the containers are users of the host."""
        return self.spec.get("hostUsers") is not False


def validate_containers(containers: list[Object] | None, path: Path, pod: PodContext) -> Iterator[FieldError]:
    """The containers that make up a pod; there must be one."""
    if not containers:
        yield field.required(path)
        return
    seen: set[str] = set()
    for position, container in enumerate(containers):
        at = path.index(position)
        yield from _container(container, at, pod)
        if container["name"] in seen:
            yield field.duplicate(at.child("name"), container["name"])
        seen.add(container["name"])
        yield from validate_lifecycle(container.get("lifecycle"), at.child("lifecycle"), pod.spec)
        yield from validate_probes(container, at)
        yield from _restarts(container, at)
    yield from _host_ports(containers, path)


def validate_init_containers(containers: list[Object], path: Path, pod: PodContext) -> Iterator[FieldError]:
    """Containers that run before the others, and those of them (``restartPolicy: Always``) that go on: sidecars."""
    seen = {container["name"] for container in pod.spec.get("containers") or ()}
    for position, container in enumerate(containers):
        at, name = path.index(position), container["name"]
        sidecar = container.get("restartPolicy") == "Always"
        yield from _container(container, at, pod)
        if "restartPolicy" in container:
            yield from _restarts(container, at)
        elif container.get("restartPolicyRules"):
            yield field.required(at.child("restartPolicy"), RULES_NEED_POLICY)
        if name in seen:
            yield field.duplicate(at.child("name"), name)
        elif name:
            seen.add(name)
        yield from _host_ports([container], path)
        if sidecar:
            yield from validate_lifecycle(container.get("lifecycle"), at.child("lifecycle"), pod.spec)
            yield from validate_probes(container, at)
        else:
            yield from (field.forbidden(at.child(one), ONLY_SIDECARS) for one in ONGOING if one in container)
            for place, policy in enumerate(container.get("resizePolicy", ())):
                if policy["restartPolicy"] == "RestartContainer":
                    why = "must not be set to 'RestartContainer' for non-sidecar initContainers"
                    where = at.child("resizePolicy").index(place).child("restartPolicy")
                    yield field.invalid(where, policy["restartPolicy"], why)


def validate_ephemeral_containers(containers: list[Object], path: Path, pod: PodContext) -> Iterator[FieldError]:
    """Containers added to a running pod to look into it."""
    spec = pod.spec
    others = {container["name"] for key in ("containers", "initContainers") for container in spec.get(key) or ()}
    seen = set(others)
    for position, container in enumerate(containers):
        at, name, target = path.index(position), container["name"], container.get("targetContainerName")
        yield from _container(container, at, pod)
        yield from validate_image_of_pod(container, at)
        if name in seen:
            yield field.duplicate(at.child("name"), name)
        seen.add(name)
        if target and target not in others:
            yield field.not_found(at.child("targetContainerName"), target)
        yield from (field.forbidden(at.child(one), FORBIDDEN_EPHEMERAL) for one in NOT_EPHEMERAL if container.get(one))
        for place, mount in enumerate(container.get("volumeMounts", ())):
            for one in ("subPath", "subPathExpr"):
                if mount.get(one):
                    yield field.forbidden(at.child("volumeMounts").index(place).child(one), FORBIDDEN_EPHEMERAL)


def validate_image_of_pod(container: Object, path: Path) -> Iterator[FieldError]:
    """In a pod (templates may) the image has no blanks around it."""
    image = container.get("image", "")
    if image != image.strip():
        yield field.invalid(path.child("image"), image, "must not have leading or trailing whitespace")


def _container(container: Object, path: Path, pod: PodContext) -> Iterator[FieldError]:
    name = container["name"]
    if not name:
        yield field.required(path.child("name"))
    else:
        yield from invalid(path.child("name"), name, names.dns_label(name))
    if not container.get("image"):
        yield field.required(path.child("image"))
    policy = container.get("terminationMessagePolicy", "")
    yield from required_one_of(policy, path.child("terminationMessagePolicy"), MESSAGE_POLICIES)
    mounts, devices = container.get("volumeMounts", []), container.get("volumeDevices", [])
    yield from _ports(container.get("ports", []), path.child("ports"))
    yield from validate_environment(container, path)
    yield from validate_mounts(mounts, devices, pod.volumes, container, path.child("volumeMounts"))
    yield from validate_devices(devices, mounts, pod.volumes, path.child("volumeDevices"))
    yield from required_one_of(container.get("imagePullPolicy", ""), path.child("imagePullPolicy"), PULL_POLICIES)
    yield from resources.validate_container_resources(container["resources"], pod.claims, path.child("resources"))
    yield from _resize_policy(container.get("resizePolicy", []), pod.spec, path.child("resizePolicy"))
    context = container.get("securityContext")
    yield from validate_container_security(context, path.child("securityContext"), host_users=pod.host_users)


def _ports(ports: list[Object], path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for position, port in enumerate(ports):
        at, name = path.index(position), port.get("name", "")
        wrong = names.port_name(name) if name else []
        yield from invalid(at.child("name"), name, wrong)
        if name and not wrong:
            if name in seen:
                yield field.duplicate(at.child("name"), name)
            seen.add(name)
        number = port["containerPort"]
        if not number:
            yield field.required(at.child("containerPort"))
        else:
            yield from invalid(at.child("containerPort"), number, names.port_number(number))
        if host := port.get("hostPort"):
            yield from invalid(at.child("hostPort"), host, names.port_number(host))
        yield from required_one_of(port.get("protocol", ""), at.child("protocol"), PROTOCOLS)


def _host_ports(containers: list[Object], path: Path) -> Iterator[FieldError]:
    taken: set[str] = set()
    for position, container in enumerate(containers):
        for place, port in enumerate(container.get("ports", ())):
            if not port.get("hostPort"):
                continue
            claim = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if claim in taken:
                yield field.duplicate(path.index(position).child("ports").index(place).child("hostPort"), claim)
            taken.add(claim)


def _restarts(container: Object, path: Path) -> Iterator[FieldError]:
    """When a container starts again on its own account."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules", [])
    if policy is not None:
        yield from one_of(policy, path.child("restartPolicy"), RESTART_POLICIES)
    elif rules:
        yield field.required(path.child("restartPolicy"), RULES_NEED_POLICY)
    if len(rules) > RESTART_RULES_LIMIT:
        yield field.too_many(path.child("restartPolicyRules"), len(rules), RESTART_RULES_LIMIT)
    for position, rule in enumerate(rules):
        at = path.child("restartPolicyRules").index(position)
        yield from one_of(rule.get("action", ""), at.child("action"), RESTART_ACTIONS)
        codes = rule.get("exitCodes")
        if codes is None:
            yield field.required(at.child("exitCodes"), "must be specified")
            continue
        yield from one_of(codes.get("operator", ""), at.child("exitCodes").child("operator"), ("In", "NotIn"))
        if len(codes.get("values") or ()) > EXIT_CODES_LIMIT:
            yield field.too_many(at.child("exitCodes").child("values"), len(codes["values"]), EXIT_CODES_LIMIT)


def _resize_policy(policies: list[Object], spec: Object, path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for position, policy in enumerate(policies):
        resource, restart = policy["resourceName"], policy["restartPolicy"]
        if resource in seen:
            yield field.duplicate(path.index(position), resource)
        seen.add(resource)
        yield from required_one_of(resource, path, RESIZABLE)
        yield from required_one_of(restart, path, RESIZE_POLICIES)
        if spec.get("restartPolicy") == "Never" and restart != "NotRequired":
            yield field.invalid(path, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")
