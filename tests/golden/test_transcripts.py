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

#: Recording, and the Node manifests of its cluster (None: the usual three nodes).
RECORDINGS = [("workloads", "worker-1.yaml"), ("scheduling", "none.yaml"), ("commands", None)]


@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("sh") is None, reason="the commands of the recordings are lines of a shell")
@pytest.mark.parametrize(("name", "nodes"), RECORDINGS)
def test_kubectl_says_what_it_said_on_a_real_cluster(name: str, nodes: str | None, tmp_path: Path) -> None:
    with serving(tmp_path, nodes=HERE / nodes if nodes else None) as kubeconfig:
        compared, different = differences(HERE / f"{name}.yaml", kubeconfig)
    assert compared > 50
    assert not different, "\n\n".join(different)
