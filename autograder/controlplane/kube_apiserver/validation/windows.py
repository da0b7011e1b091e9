"""Rules that concern Windows: options of security contexts, HostProcess pods, what Linux and Windows pods may not set.

Source: pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import invalid

Object = Mapping[str, Any]
Containers = Iterable[tuple[Object, Path]]

SPEC_KIBIBYTES: Final = 64
DOMAIN_LENGTH: Final = 256
USER_LENGTH: Final = 104

_NETBIOS = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_DOMAIN_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"{_DOMAIN_LABEL}(?:\.{_DOMAIN_LABEL})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_IN_USER = re.compile(r'["/\\:;|=,+*?<>@\[\]]')

#: Fields that a Windows pod may not set: where they stand, and how the error calls them.
_POD_FIELDS: Final = (
    ("securityContext", "appArmorProfile"), ("securityContext", "seLinuxOptions"), ("", "hostUsers"), ("", "hostPID"),
    ("", "hostIPC"), ("securityContext", "seccompProfile"), ("securityContext", "fsGroup"),
    ("securityContext", "fsGroupChangePolicy"), ("securityContext", "sysctls"), ("", "shareProcessNamespace"),
    ("securityContext", "runAsUser"), ("securityContext", "runAsGroup"), ("securityContext", "supplementalGroups"),
    ("securityContext", "supplementalGroupsPolicy"), ("securityContext", "seLinuxChangePolicy"),
)  # fmt: skip
_CONTAINER_FIELDS: Final = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)  # fmt: skip
NOT_ON_WINDOWS: Final = "cannot be set for a windows pod"
NOT_ON_LINUX: Final = "windows options cannot be set for a linux pod"


def windows_options(options: Object | None, path: Path) -> Iterator[FieldError]:
    """The Windows part of a security context."""
    if options is None:
        return
    if (name := options.get("gmsaCredentialSpecName")) is not None:
        yield from invalid(path.child("gmsaCredentialSpecName"), name, names.dns_subdomain(name))
    if (text := options.get("gmsaCredentialSpec")) is not None:
        at = path.child("gmsaCredentialSpec")
        if not text:
            yield field.invalid(at, text, "gmsaCredentialSpec cannot be an empty string")
        elif len(text.encode()) > SPEC_KIBIBYTES * 1024:
            yield field.invalid(at, text, f"gmsaCredentialSpec size must be under {SPEC_KIBIBYTES} KiB")
    if (user := options.get("runAsUserName")) is not None:
        yield from invalid(path.child("runAsUserName"), user, (f"runAsUserName{why}" for why in _user_name(user)))


def _user_name(text: str) -> Iterator[str]:
    if not text:
        yield " cannot be an empty string"
        return
    if _CONTROL.search(text):
        yield " cannot contain control characters"
        return
    if text.count("\\") > 1:
        yield " cannot contain more than one backslash"
        return
    domain, backslash, user = text.rpartition("\\")
    if len(domain.encode()) >= DOMAIN_LENGTH:
        yield f"'s Domain length must be under {DOMAIN_LENGTH} characters"
    if backslash and not (_NETBIOS.fullmatch(domain) or _DOMAIN.fullmatch(domain)):
        yield "'s Domain doesn't match the NetBios nor the DNS format"
    if not user:
        yield "'s User cannot be empty"
    elif len(user.encode()) > USER_LENGTH:
        yield f"'s User length must not be longer than {USER_LENGTH} characters"
    if user and not user.strip(". "):
        yield "'s User cannot contain only periods or spaces"
    if _BAD_IN_USER.search(user):
        yield """'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]"""


def validate_host_process(spec: Object, containers: Containers, path: Path) -> Iterator[FieldError]:
    """Either all containers are processes of the host, or none is."""
    of_pod = spec.get("securityContext", {}).get("windowsOptions", {}).get("hostProcess")
    total = host = 0
    for container, at in containers:
        total += 1
        own = container.get("securityContext", {}).get("windowsOptions", {}).get("hostProcess")
        if of_pod is not None and own is not None and of_pod != own:
            why = f"pod hostProcess value must be identical if both are specified, was {str(of_pod).lower()}"
            yield field.invalid(at.child("securityContext").child("windowsOptions").child("hostProcess"), own, why)
        host += bool(of_pod if own is None else own)
    if host and host != total:
        why = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        yield field.invalid(path, "", why)
    if host and not spec.get("hostNetwork"):
        why = "hostNetwork must be true if pod contains any hostProcess containers"
        yield field.invalid(path.child("hostNetwork"), False, why)


def validate_linux_pod(spec: Object, containers: Containers, path: Path) -> Iterator[FieldError]:
    """What a pod for Linux may not set."""
    for context, at in [(spec, path), *containers]:
        if "windowsOptions" in context.get("securityContext", {}):
            yield field.forbidden(at.child("securityContext").child("windowsOptions"), NOT_ON_LINUX)


def validate_windows_pod(spec: Object, containers: Containers, path: Path) -> Iterator[FieldError]:
    """What a pod for Windows may not set."""
    for within, name in _POD_FIELDS:
        if name in (spec.get(within, {}) if within else spec):
            yield field.forbidden((path.child(within) if within else path).child(name), NOT_ON_WINDOWS)
    for container, at in containers:
        for name in _CONTAINER_FIELDS:
            if name in container.get("securityContext", {}):
                yield field.forbidden(at.child("securityContext").child(name), NOT_ON_WINDOWS)
