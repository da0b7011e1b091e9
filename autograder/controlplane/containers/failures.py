"""What containerd and runc say of programs that they cannot run."""

from __future__ import annotations

from autograder.controlplane.containers.files import Disk, FileView
from autograder.controlplane.containers.records import Container


def missing_program(disk: Disk, container: Container, argv: tuple[str, ...]) -> str:
    """What runc says of a program that is not in a container; '' if it is."""
    if not argv:
        return "no command specified"
    name = argv[0]
    base = name.rpartition("/")[2]
    image = container.image
    if base in image.tools or name in image.entrypoint[:1] or base in image.entrypoint[:1]:
        return ""
    if "/" in name:
        files = FileView(disk, container)
        if files.is_file(files.absolute(name, container.workdir)):
            return ""
        return f'exec: "{name}": stat {name}: no such file or directory: unknown'
    return f'exec: "{name}": executable file not found in $PATH: unknown'


def start_failure(missing: str) -> str:
    """What containerd says of a container that cannot be started."""
    return (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
        f"failed: unable to start container process: error during container init: {missing}"
    )


def network_failure(sandbox_id: str, failure: str) -> str:
    """What containerd says of a sandbox that the network plugin cannot connect."""
    return (
        f'rpc error: code = Unknown desc = failed to setup network for sandbox "{sandbox_id}": '
        f'plugin type="ptp" failed (add): {failure}'
    )


def exec_failure(exec_id: str, missing: str) -> str:
    """What containerd says of a command that cannot be run in a container."""
    return (
        f'failed to start exec "{exec_id}": OCI runtime exec failed: exec failed: '
        f"unable to start container process: {missing}"
    )
