"""The checks of the Pod Security Standards, and since which version of Kubernetes each looks at what.

Source: policy/registry.go of k8s.io/pod-security-admission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

from autograder.controlplane.kube_apiserver.admission.pod_security import baseline, restricted
from autograder.controlplane.kube_apiserver.admission.pod_security.parts import Obj, Rule, Violation
from autograder.controlplane.kube_apiserver.admission.pod_security.policy import Standard


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its rule since each minor version that changed it.

    ``replaces`` names the check of the baseline that it includes.
    """

    since: Mapping[int, Rule]
    replaces: str = ""


#: In the order in which violations are told, and before those of ``RESTRICTED``.
BASELINE: Final[Mapping[str, Check]] = {
    "appArmorProfile": Check({0: baseline.app_armor}),
    "capabilities": Check({0: baseline.capabilities_baseline}),
    "hostNamespaces": Check({0: baseline.host_namespaces}),
    "hostPathVolumes": Check({0: baseline.host_path_volumes}),
    "hostPorts": Check({0: baseline.host_ports}),
    "hostProbesAndHostLifecycle": Check({34: baseline.host_handlers}),
    "privileged": Check({0: baseline.privileged}),
    "procMount": Check({0: baseline.proc_mount, 35: partial(baseline.proc_mount, unless_own_users=True)}),
    "seLinuxOptions": Check(baseline.SELINUX),
    "seccompProfile": Check({0: baseline.seccomp_annotations, 19: baseline.seccomp}),
    "sysctls": Check(baseline.SYSCTLS),
    "windowsHostProcess": Check({0: baseline.windows_host_process}),
}

RESTRICTED: Final[Mapping[str, Check]] = {
    "allowPrivilegeEscalation": Check(
        {8: restricted.privilege_escalation, 25: restricted.unless_windows(restricted.privilege_escalation)}
    ),
    "capabilities": Check(
        {22: restricted.capabilities_restricted, 25: restricted.unless_windows(restricted.capabilities_restricted)},
        replaces="capabilities",
    ),
    "procMount": Check({35: baseline.proc_mount}, replaces="procMount"),
    "restrictedVolumes": Check({0: restricted.restricted_volumes}, replaces="hostPathVolumes"),
    "runAsNonRoot": Check(
        {0: restricted.run_as_non_root, 35: partial(restricted.run_as_non_root, unless_own_users=True)}
    ),
    "runAsUser": Check({23: restricted.run_as_user, 35: partial(restricted.run_as_user, unless_own_users=True)}),
    "seccompProfile": Check(
        {19: restricted.seccomp_restricted, 25: restricted.unless_windows(restricted.seccomp_restricted)},
        replaces="seccompProfile",
    ),
}


def violations(standard: Standard, meta: Obj, spec: Obj) -> list[Violation]:
    """What a pod has that a standard does not allow."""
    if standard.level == "privileged":
        return []
    found = [rule(meta, spec) for rule in _rules(standard.level, standard.minor)]
    return [violation for violation in found if violation is not None]


@cache
def _rules(level: str, minor: int | None) -> tuple[Rule, ...]:
    more = RESTRICTED.values() if level == "restricted" else ()
    strict = [(check, rule) for check in more if (rule := _rule_of(check, minor))]
    replaced = {check.replaces for check, _ in strict}
    rules = [_rule_of(check, minor) for name, check in BASELINE.items() if name not in replaced]
    return (*(rule for rule in rules if rule), *(rule for _, rule in strict))


def _rule_of(check: Check, minor: int | None) -> Rule | None:
    """The check as it was in a version; None before there was one."""
    known = [since for since in check.since if minor is None or since <= minor]
    return check.since[max(known)] if known else None
