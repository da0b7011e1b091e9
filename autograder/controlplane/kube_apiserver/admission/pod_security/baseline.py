"""The checks of the baseline standard, against known ways in which pods gain more privileges than they should have.

Source: policy/check_*.go of k8s.io/pod-security-admission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.apimachinery.pod_spec import all_containers
from autograder.controlplane.kube_apiserver import apparmor
from autograder.controlplane.kube_apiserver.admission.pod_security.parts import (
    Obj,
    Rule,
    Violation,
    contexts,
    counted,
    has_own_users,
    listed,
    named,
    pod_context,
    who_sets,
)
from autograder.controlplane.kube_apiserver.validation.security import SECCOMP_CONTAINER, SECCOMP_POD

_APP_ARMOR_TYPES: Final = ("RuntimeDefault", "Localhost")
_SECCOMP_TYPES: Final = ("RuntimeDefault", "Localhost")
_CAPABILITIES: Final = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
    .split()
)  # fmt: skip


def app_armor(meta: Obj, spec: Obj) -> Violation | None:
    """AppArmor profiles other than ``RuntimeDefault`` and ``Localhost``, in fields or annotations."""
    of_pod = pod_context(spec).get("appArmorProfile")
    pod_is_bad = of_pod is not None and of_pod.get("type") not in _APP_ARMOR_TYPES
    found = [(name, context["appArmorProfile"].get("type", "")) for name, context in contexts(spec)
             if context.get("appArmorProfile") is not None]  # fmt: skip
    bad = [(name, kind) for name, kind in found if kind not in _APP_ARMOR_TYPES]
    annotations = sorted(
        f"{key}={quoted(value)}"
        for key, value in (meta.get("annotations") or {}).items()
        if key.startswith(apparmor.ANNOTATION) and not (value in ("", "runtime/default") or _is_local(value))
    )
    setters = [who_sets(pod_is_bad, [name for name, _ in bad])] if pod_is_bad or bad else []
    setters += [counted("annotation", annotations)] if annotations else []
    if not setters:
        return None
    values = sorted({kind for _, kind in bad} | ({of_pod.get("type", "")} if of_pod and pod_is_bad else set()))
    values += annotations
    detail = f"{' and '.join(setters)} must not set AppArmor profile type to {listed(values)}"
    return Violation(counted("forbidden AppArmor profile", values), detail)


def _is_local(profile: str) -> bool:
    return profile.startswith("localhost/")


def capabilities_baseline(meta: Obj, spec: Obj) -> Violation | None:
    """Capabilities that a container runtime does not give by default."""
    added = {name: set((context.get("capabilities") or {}).get("add") or ()) - _CAPABILITIES
             for name, context in contexts(spec)}  # fmt: skip
    bad = [name for name, capabilities in added.items() if capabilities]
    if not bad:
        return None
    what = listed(sorted(set().union(*added.values())))
    detail = f"{named('container', bad)} must not include {what} in securityContext.capabilities.add"
    return Violation("non-default capabilities", detail)


def host_namespaces(meta: Obj, spec: Obj) -> Violation | None:
    """The network, the processes or the IPC of the host."""
    shared = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def host_path_volumes(meta: Obj, spec: Obj) -> Violation | None:
    """Volumes that are folders of the node."""
    bad = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    return Violation("hostPath volumes", named("volume", bad)) if bad else None


def host_ports(meta: Obj, spec: Obj) -> Violation | None:
    """Ports of the node."""
    taken = [
        (container["name"], str(port["hostPort"]))
        for container in all_containers(spec)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]
    if not taken:
        return None
    bad, ports = list(dict.fromkeys(name for name, _ in taken)), sorted({port for _, port in taken})
    use = "uses" if len(bad) == 1 else "use"
    return Violation("hostPort", f"{named('container', bad)} {use} {counted('hostPort', ports)} {', '.join(ports)}")


def host_handlers(meta: Obj, spec: Obj) -> Violation | None:
    """Probes and hooks that are sent to another host than the pod."""
    found = [(container["name"], host) for container in all_containers(spec) for host in _hosts(container)]
    if not found:
        return None
    bad, hosts = sorted({name for name, _ in found}), sorted({host for _, host in found})
    use = "uses" if len(bad) == 1 else "use"
    what = named("probe or lifecycle host", hosts)
    return Violation("probe or lifecycle host", f"{named('container', bad)} {use} {what}")


def _hosts(container: Obj) -> Iterator[str]:
    """The hosts that a container's probes and hooks name."""
    lifecycle = container.get("lifecycle") or {}
    handlers = [container.get(probe) for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
    for handler in (*handlers, lifecycle.get("postStart"), lifecycle.get("preStop")):
        for action in ("httpGet", "tcpSocket"):
            if host := ((handler or {}).get(action) or {}).get("host"):
                yield host


def privileged(meta: Obj, spec: Obj) -> Violation | None:
    """Privileged containers."""
    bad = [name for name, context in contexts(spec) if context.get("privileged")]
    detail = f"{named('container', bad)} must not set securityContext.privileged=true"
    return Violation("privileged", detail) if bad else None


def proc_mount(meta: Obj, spec: Obj, *, unless_own_users: bool = False) -> Violation | None:
    """Anything but the default ``/proc``; ``unless_own_users`` lets pods with users of their own have it."""
    if unless_own_users and has_own_users(spec):
        return None
    bad = [(name, context["procMount"]) for name, context in contexts(spec)
           if context.get("procMount", "Default") != "Default"]  # fmt: skip
    if not bad:
        return None
    who, what = named("container", [name for name, _ in bad]), listed(sorted({kind for _, kind in bad}))
    return Violation("procMount", f"{who} must not set securityContext.procMount to {what}")


_CONTAINER_TYPES: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})


def _selinux(meta: Obj, spec: Obj, *, types: frozenset[str]) -> Violation | None:
    of_pod: Obj = pod_context(spec).get("seLinuxOptions") or {}
    options = [(name, context.get("seLinuxOptions") or {}) for name, context in contexts(spec)]
    pod_is_bad = _is_bad_selinux(of_pod, types)
    setters = who_sets(pod_is_bad, [name for name, one in options if _is_bad_selinux(one, types)])
    if not setters:
        return None
    everyone = [of_pod, *(one for _, one in options)]
    bad_types = sorted({one.get("type", "") for one in everyone} - types)
    what = [named("type", bad_types)] if bad_types else []
    what += [f"{part} may not be set" for part in ("user", "role") if any(one.get(part) for one in everyone)]
    detail = f"{setters} set forbidden securityContext.seLinuxOptions: {'; '.join(what)}"
    return Violation("seLinuxOptions", detail)


#: Since which minor version which types are allowed.
SELINUX: Final[Mapping[int, Rule]] = {
    0: partial(_selinux, types=_CONTAINER_TYPES),
    31: partial(_selinux, types=_CONTAINER_TYPES | {"container_engine_t"}),
}


def _is_bad_selinux(options: Obj, types: frozenset[str]) -> bool:
    return options.get("type", "") not in types or bool(options.get("user")) or bool(options.get("role"))


def seccomp_annotations(meta: Obj, spec: Obj) -> Violation | None:
    """Seccomp profiles in annotations, before there were fields."""
    annotations = meta.get("annotations") or {}
    keys = [SECCOMP_POD, *(SECCOMP_CONTAINER + container["name"] for container in all_containers(spec))]
    bad = sorted({
        f"{key}={quoted(annotations[key])}" for key in keys
        if key in annotations
        and not (annotations[key] in ("runtime/default", "docker/default") or _is_local(annotations[key]))
    })  # fmt: skip
    return Violation("seccompProfile", f"forbidden {counted('annotation', bad)} {', '.join(bad)}") if bad else None


def seccomp(meta: Obj, spec: Obj) -> Violation | None:
    """Seccomp profiles other than ``RuntimeDefault`` and ``Localhost``."""
    of_pod = seccomp_type(pod_context(spec))
    types = {name: seccomp_type(context) for name, context in contexts(spec)}
    bad = {name: kind for name, kind in types.items() if kind is not None and kind not in _SECCOMP_TYPES}
    pod_is_bad = of_pod is not None and of_pod not in _SECCOMP_TYPES
    setters = who_sets(pod_is_bad, list(bad))
    if not setters:
        return None
    values = sorted({*bad.values(), *([of_pod] if of_pod is not None and pod_is_bad else [])})
    return Violation(
        "seccompProfile", f"{setters} must not set securityContext.seccompProfile.type to {listed(values)}"
    )


def seccomp_type(context: Obj) -> str | None:
    """The type of the seccomp profile of a security context; None without a profile."""
    profile = context.get("seccompProfile")
    return None if profile is None else profile.get("type", "")


_NAMESPACED_SYSCTLS: Final = {
    0: (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    ),
    27: ("net.ipv4.ip_local_reserved_ports",),
    29: tuple(
        f"net.ipv4.tcp_{name}" for name in ("keepalive_time", "fin_timeout", "keepalive_intvl", "keepalive_probes")
    ),
    32: ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
}


def _sysctls(meta: Obj, spec: Obj, *, allowed: frozenset[str]) -> Violation | None:
    bad = [one["name"] for one in pod_context(spec).get("sysctls") or () if one["name"] not in allowed]
    return Violation("forbidden sysctls", ", ".join(bad)) if bad else None


#: Since which minor version which sysctls are allowed; what was allowed once stays so.
SYSCTLS: Final[Mapping[int, Rule]] = {
    minor: partial(
        _sysctls,
        allowed=frozenset(name for since, names in _NAMESPACED_SYSCTLS.items() if since <= minor for name in names),
    )
    for minor in _NAMESPACED_SYSCTLS
}


def windows_host_process(meta: Obj, spec: Obj) -> Violation | None:
    """Containers of Windows that are processes of the host."""
    bad = [name for name, context in contexts(spec) if _is_host_process(context)]
    setters = who_sets(_is_host_process(pod_context(spec)), bad)
    detail = f"{setters} must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", detail) if setters else None


def _is_host_process(context: Obj) -> bool:
    return bool((context.get("windowsOptions") or {}).get("hostProcess"))
