"""Sessions of the real kubectl end alike on a real Kubernetes v1.36.2 and on the embedded cluster behind its socket.

``workloads`` ran on one node with a real kubelet, ``scheduling`` on nodes that it makes itself.  ``commands`` ran on a
real control plane whose nodes our kubelets played (``--cluster local``).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from serving import serving
from transcripts import differences

HERE = Path(__file__).parent / "kubectl"

#: Recording, the Node manifests of its cluster (None: the usual three nodes), and how many commands may differ.
RECORDINGS = [
    # Of one `describe pod` the blanks cut a line in half that only the real cluster has.  Two commands on a full quota
    # come too late on a slow machine: a ReplicaSet that tries again has taken the room.
    ("workloads", "worker-1.yaml", 3),
    ("scheduling", "none.yaml", 0),
    ("commands", None, 0),
]


@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("sh") is None, reason="the commands of the recordings are lines of a shell")
@pytest.mark.parametrize(("name", "nodes", "allowed"), RECORDINGS)
def test_kubectl_says_what_it_said_on_a_real_cluster(
    name: str, nodes: str | None, allowed: int, tmp_path: Path
) -> None:
    with serving(tmp_path, nodes=HERE / nodes if nodes else None) as kubeconfig:
        compared, different = differences(HERE / f"{name}.yaml", kubeconfig)
    assert compared > 50
    assert len(different) <= allowed, "\n\n".join(different)
