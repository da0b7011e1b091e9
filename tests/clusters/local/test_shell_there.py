"""A shell on the simulated nodes below a real control plane."""

from __future__ import annotations

import pytest

from autograder.clusters.local.cluster import LocalCluster, LocalPowers

pytestmark = pytest.mark.needs("etcd and Kubernetes")
MANIFESTS = "/etc/kubernetes/manifests"


@pytest.fixture
def powers(local: LocalCluster) -> LocalPowers:
    assert isinstance(local.powers, LocalPowers)
    return local.powers


def test_a_node_shows_what_runs_on_it(powers: LocalPowers) -> None:
    assert "kube-proxy" in powers.command("worker-1", "crictl ps")["stdout"]
    assert "default/kubernetes:https cluster IP" in powers.command("worker-1", "iptables-save -t nat")["stdout"]
    assert powers.command("worker-1", "false") == {"stdout": "", "stderr": "", "code": 1}
    with pytest.raises(ValueError, match="no machine is called worker-9"):
        powers.command("worker-9", "true")


def test_a_manifest_that_is_moved_away_stops_its_process(powers: LocalPowers) -> None:
    powers.command("control-plane", f"mv {MANIFESTS}/kube-scheduler.yaml /root/")
    assert "kube-scheduler" not in powers.running()
    powers.command("control-plane", f"mv /root/kube-scheduler.yaml {MANIFESTS}/")
    assert "kube-scheduler" in powers.running()
