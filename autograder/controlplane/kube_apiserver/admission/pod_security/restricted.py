"""The checks of the restricted standard, which come on top of those of the baseline.

Source: policy/check_*.go of k8s.io/pod-security-admission.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.kube_apiserver.admission.pod_security.baseline import seccomp, seccomp_type
from autograder.controlplane.kube_apiserver.admission.pod_security.parts import (
    Obj,
    Rule,
    Violation,
    contexts,
    has_own_users,
    listed,
    named,
    pod_context,
    who_sets,
)

#: Sources of volumes that every pod may have.
_VOLUMES: Final = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip


def privilege_escalation(meta: Obj, spec: Obj) -> Violation | None:
    """Processes that may gain more privileges than their parent, which is the default."""
    bad = [name for name, context in contexts(spec) if context.get("allowPrivilegeEscalation", True)]
    detail = f"{named('container', bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail) if bad else None


def capabilities_restricted(meta: Obj, spec: Obj) -> Violation | None:
    """Containers that keep any capability, or add one but ``NET_BIND_SERVICE``."""
    capabilities = {name: context.get("capabilities") or {} for name, context in contexts(spec)}
    keeping = [name for name, one in capabilities.items() if "ALL" not in (one.get("drop") or ())]
    added = {name: set(one.get("add") or ()) - {"NET_BIND_SERVICE"} for name, one in capabilities.items()}
    adding = [name for name, some in added.items() if some]
    details = []
    if keeping:
        details.append(f'{named("container", keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        what = listed(sorted(set().union(*added.values())))
        details.append(f"{named('container', adding)} must not include {what} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(details)) if details else None


def restricted_volumes(meta: Obj, spec: Obj) -> Violation | None:
    """Volumes of other sources than those that every pod may have."""
    bad = [volume for volume in spec.get("volumes") or () if not volume.keys() & _VOLUMES]
    if not bad:
        return None
    types = sorted({source for volume in bad for source in volume.keys() - {"name"}} or {"unknown"})
    names = [volume["name"] for volume in bad]
    use = "uses" if len(names) == 1 else "use"
    detail = f"{named('volume', names)} {use} {named('restricted volume type', types)}"
    return Violation("restricted volume types", detail)


def run_as_non_root(meta: Obj, spec: Obj, *, unless_own_users: bool = False) -> Violation | None:
    """Containers that may run as root; ``unless_own_users`` lets pods with users of their own do so."""
    if unless_own_users and has_own_users(spec):
        return None
    of_pod = pod_context(spec).get("runAsNonRoot")
    said = {name: context.get("runAsNonRoot") for name, context in contexts(spec)}
    setters = who_sets(of_pod is False, [name for name, value in said.items() if value is False])
    reason = "runAsNonRoot != true"
    if setters:
        return Violation(reason, f"{setters} must not set securityContext.runAsNonRoot=false")
    silent = [name for name, value in said.items() if value is None and not of_pod]
    if not silent:
        return None
    return Violation(reason, f"pod or {named('container', silent)} must set securityContext.runAsNonRoot=true")


def run_as_user(meta: Obj, spec: Obj, *, unless_own_users: bool = False) -> Violation | None:
    """Containers that run as user 0; ``unless_own_users`` lets pods with users of their own do so."""
    if unless_own_users and has_own_users(spec):
        return None
    bad = [name for name, context in contexts(spec) if context.get("runAsUser") == 0]
    setters = who_sets(pod_context(spec).get("runAsUser") == 0, bad)
    return Violation("runAsUser=0", f"{setters} must not set runAsUser=0") if setters else None


def seccomp_restricted(meta: Obj, spec: Obj) -> Violation | None:
    """What the baseline does not allow of seccomp, and containers without a profile."""
    if bad := seccomp(meta, spec):
        return bad
    if seccomp_type(pod_context(spec)) is not None:
        return None
    silent = [name for name, context in contexts(spec) if seccomp_type(context) is None]
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {named('container', silent)} {must}") if silent else None


def unless_windows(rule: Rule) -> Rule:
    """The rule, for pods of other systems."""

    def judged(meta: Obj, spec: Obj) -> Violation | None:
        return None if (spec.get("os") or {}).get("name") == "windows" else rule(meta, spec)

    return judged
