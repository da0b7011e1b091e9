"""Which containers run the programs of the control plane.

While no container of such a program runs, its component does not either, as where static pods are the control plane.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.containers.records import Container, Sandbox

PROGRAMS: Final = frozenset({"etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler"})
#: The namespace of their pods.
SYSTEM: Final = "kube-system"


def program_of(container: Container, sandbox: Sandbox | None) -> str:
    """Which program of the control plane a container runs; '' for any other one."""
    if not container.name.startswith(("kube-", "etcd")):
        return ""
    program = container.argv[0].rpartition("/")[2] if container.argv else ""
    if sandbox is None or sandbox.namespace != SYSTEM or not sandbox.host_network or program not in PROGRAMS:
        return ""
    return program if sandbox.name.startswith(f"{program}-") else ""
