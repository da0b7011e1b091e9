"""Rules for the security contexts of pods and containers, and for the annotations that once stood for them.

Source: pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.pod_spec import CONTAINER_LISTS
from autograder.controlplane.apimachinery.types.unversioned import unversioned
from autograder.controlplane.kube_apiserver import apparmor
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.files import relative_path
from autograder.controlplane.kube_apiserver.validation.meta import invalid
from autograder.controlplane.kube_apiserver.validation.rules import one_of
from autograder.controlplane.kube_apiserver.validation.windows import windows_options

Object = Mapping[str, Any]

PROFILE_TYPES: Final = ("Localhost", "RuntimeDefault", "Unconfined")
SYSCTL: Final = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SYSCTL_LENGTH: Final = 253
#: Sysctls of these families belong to a namespace that ``hostNetwork`` or ``hostIPC`` gives up.
NETWORK_SYSCTLS: Final = ("net.",)
IPC_SYSCTLS: Final = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")

SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER: Final = "container.seccomp.security.alpha.kubernetes.io/"


def validate_pod_security(spec: Object, path: Path) -> Iterator[FieldError]:
    """The security context of a pod; what it says about host namespaces stands in the spec."""
    context = spec.get("securityContext", {})
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        if name in context:
            yield from invalid(path.child(name), context[name], names.user_id(context[name]))
    for position, group in enumerate(context.get("supplementalGroups", ())):
        yield from invalid(path.child("supplementalGroups").index(position), group, names.user_id(group))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield field.invalid(path.child("shareProcessNamespace"), True, why)
    yield from _sysctls(context.get("sysctls", []), spec, path.child("sysctls"))
    if "fsGroupChangePolicy" in context:
        at = path.child("fsGroupChangePolicy")
        yield from one_of(context["fsGroupChangePolicy"], at, ("Always", "OnRootMismatch"))
    yield from _seccomp(context.get("seccompProfile"), path.child("seccompProfile"))
    yield from windows_options(context.get("windowsOptions"), path.child("windowsOptions"))
    yield from _apparmor(context.get("appArmorProfile"), path.child("appArmorProfile"))
    if "supplementalGroupsPolicy" in context:
        yield from one_of(
            context["supplementalGroupsPolicy"], path.child("supplementalGroupsPolicy"), ("Merge", "Strict")
        )
    if "seLinuxChangePolicy" in context:
        yield from one_of(context["seLinuxChangePolicy"], path.child("seLinuxChangePolicy"), ("Recursive",))


def validate_container_security(context: Object | None, path: Path, *, host_users: bool) -> Iterator[FieldError]:
    """The security context of a container."""
    if context is None:
        return
    for name in ("runAsUser", "runAsGroup"):
        if name in context:
            yield from invalid(path.child(name), context[name], names.user_id(context[name]))
    if "procMount" in context:
        yield from one_of(context["procMount"], path.child("procMount"), ("Default", "Unmasked"))
        if host_users and context["procMount"] == "Unmasked":
            why = "`hostUsers` must be false to use `Unmasked`"
            yield field.invalid(path.child("procMount"), "Unmasked", why)
    yield from _seccomp(context.get("seccompProfile"), path.child("seccompProfile"))
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            yield field.invalid(path, unversioned(context, "core.SecurityContext"), why)
        for capability in context.get("capabilities", {}).get("add", ()):
            if capability == "CAP_SYS_ADMIN":
                why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
                yield field.invalid(path, unversioned(context, "core.SecurityContext"), why)
    yield from windows_options(context.get("windowsOptions"), path.child("windowsOptions"))
    yield from _apparmor(context.get("appArmorProfile"), path.child("appArmorProfile"))


def _seccomp(profile: Object | None, path: Path) -> Iterator[FieldError]:
    if profile is None:
        return
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if not kind:
        yield field.required(path.child("type"), "type is required when seccompProfile is set")
    else:
        yield from one_of(kind, path.child("type"), PROFILE_TYPES)
    at = path.child("localhostProfile")
    if kind != "Localhost":
        if local is not None:
            yield field.invalid(
                at, unversioned(profile, "core.SeccompProfile"), "can only be set when seccomp type is Localhost"
            )
    elif local is None:
        yield field.required(at, "must be set when seccomp type is Localhost")
    else:
        yield from relative_path(local, at)


def _apparmor(profile: Object | None, path: Path) -> Iterator[FieldError]:
    if profile is None:
        return
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    at = path.child("localhostProfile")
    if kind == "Localhost":
        name = local or ""
        if not name:
            yield field.required(at, "must be set when AppArmor type is Localhost")
        elif name != name.strip():
            yield field.invalid(at, name, "must not be padded with whitespace")
        if len(name.encode()) > apparmor.PROFILE_LENGTH:
            yield field.too_long(at, apparmor.PROFILE_LENGTH)
    elif kind in PROFILE_TYPES:
        if local is not None:
            yield field.invalid(at, local, "can only be set when AppArmor type is Localhost")
    elif not kind:
        yield field.required(path.child("type"), "type is required when appArmorProfile is set")
    else:
        yield field.not_supported(path.child("type"), kind, PROFILE_TYPES)


def _sysctls(sysctls: list[Object], spec: Object, path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for position, sysctl in enumerate(sysctls):
        name, at = sysctl["name"], path.index(position).child("name")
        dotted = name.replace("/", ".")
        if not name:
            yield field.required(at)
        elif len(name) > SYSCTL_LENGTH or not re.fullmatch(SYSCTL, name):
            yield field.invalid(at, name, f"must have at most {SYSCTL_LENGTH} characters and match regex ^{SYSCTL}$")
        elif name in seen:
            yield field.duplicate(at, name)
        if spec.get("hostNetwork") and dotted.startswith(NETWORK_SYSCTLS):
            yield field.invalid(at, name, "may not be specified when 'hostNetwork' is true")
        elif spec.get("hostIPC") and dotted.startswith(IPC_SYSCTLS):
            yield field.invalid(at, name, "may not be specified when 'hostIPC' is true")
        seen.add(name)


# ---------------------------------------------------------------- annotations


def validate_profile_annotations(
    annotations: Mapping[str, str], containers: set[str], path: Path
) -> Iterator[FieldError]:
    """Seccomp and AppArmor profiles given the old way."""
    if SECCOMP_POD in annotations:
        yield from _seccomp_annotation(annotations[SECCOMP_POD], path.child(SECCOMP_POD))
    for key, profile in annotations.items():
        if key.startswith(SECCOMP_CONTAINER):
            yield from _seccomp_annotation(profile, path.child(key))
    for key, profile in annotations.items():
        if key.startswith(apparmor.ANNOTATION):
            container = key.removeprefix(apparmor.ANNOTATION)
            if container not in containers:
                yield field.invalid(path.key(key), container, "container not found")
            if profile not in ("", "runtime/default", "unconfined") and not profile.startswith("localhost/"):
                yield field.invalid(path.key(key), profile, f"invalid AppArmor profile name: {field.quoted(profile)}")


def _seccomp_annotation(profile: str, path: Path) -> Iterator[FieldError]:
    if profile.startswith("localhost/"):
        yield from relative_path(profile.removeprefix("localhost/"), path)
    elif profile not in ("runtime/default", "docker/default", "unconfined"):
        yield field.invalid(path, profile, "must be a valid seccomp profile")


def validate_profiles_agree(metadata: Object, spec: Object, path: Path) -> Iterator[FieldError]:
    """Where a profile is given the old way and the new way, both must say the same."""
    annotations = metadata.get("annotations", {})
    if not annotations:
        return
    context = spec.get("securityContext", {})
    if "seccompProfile" in context and SECCOMP_POD in annotations:
        at = path.child("securityContext").child("seccompProfile")
        yield from _agree("seccomp", annotations[SECCOMP_POD], context["seccompProfile"], at)
    for container, at in containers_of(spec, path):
        profile = container.get("securityContext", {}).get("seccompProfile")
        annotation = annotations.get(SECCOMP_CONTAINER + container["name"])
        if profile and annotation is not None:
            yield from _agree("seccomp", annotation, profile, at.child("securityContext").child("seccompProfile"))
    if spec.get("os", {}).get("name") == "windows":
        return
    for container, at in containers_of(spec, path):
        profile = container.get("securityContext", {}).get("appArmorProfile") or context.get("appArmorProfile")
        annotation = annotations.get(apparmor.ANNOTATION + container["name"])
        if profile and annotation is not None:
            yield from _agree("apparmor", annotation, profile, at.child("securityContext").child("appArmorProfile"))


def _agree(what: str, annotation: str, profile: Object, path: Path) -> Iterator[FieldError]:
    kind = profile.get("type")
    runtime = ("runtime/default", "docker/default") if what == "seccomp" else ("runtime/default",)
    good = {
        "Unconfined": annotation == "unconfined",
        "RuntimeDefault": annotation in runtime,
        "Localhost": annotation.startswith("localhost/"),
    }.get(str(kind), True)
    if not good:
        yield field.forbidden(path.child("type"), f"{what} type in annotation and field must match")
    elif kind == "Localhost" and annotation.removeprefix("localhost/") != profile.get("localhostProfile"):
        yield field.forbidden(path.child("localhostProfile"), f"{what} profile in annotation and field must match")


def containers_of(spec: Object, path: Path) -> Iterator[tuple[Object, Path]]:
    """Every container of a pod with its path: init containers, containers, ephemeral containers."""
    for name in CONTAINER_LISTS:
        for position, container in enumerate(spec.get(name) or ()):
            yield container, path.child(name).index(position)
