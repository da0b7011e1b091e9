"""A cluster of ours: what an answer changes, stops or darkens is put back before the next one is judged.

The cluster is an embedded one in another process, so that this is tried everywhere; its controls are the powers.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ours import Powers
from standins import calls, pretender

from autograder.clusters import ClusterError, NotSupportedHere
from autograder.clusters.kind.cluster import KindCluster
from autograder.clusters.kubeconfig import QUICK
from autograder.clusters.owned import OwnedCluster, OwnedConnection
from autograder.controlplane.apimachinery.errors import NotFound, ServiceUnavailable
from autograder.controlplane.fronts import kubeconfig

SETTINGS: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
PRIORITY = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "urgent"}, "value": 7}


def test_what_belongs_to_the_whole_cluster_may_be_changed_and_is_put_back(root: OwnedCluster) -> None:
    place = root.apart()
    place.create(PRIORITY)
    place.create(SETTINGS, "kube-system")
    place.patch("Node", "worker-1", {"metadata": {"labels": {"disk": "ssd"}}, "spec": {"unschedulable": True}})
    place.patch("Node", "worker-1", {"metadata": {"labels": {"disk": "hdd"}}})
    corefile = place.get("ConfigMap", "coredns", "kube-system")["data"]
    place.delete("ConfigMap", "coredns", "kube-system")
    place.close()
    node = root.get("Node", "worker-1")
    assert "disk" not in node["metadata"]["labels"]
    assert not node["spec"].get("unschedulable")
    assert root.get("ConfigMap", "coredns", "kube-system")["data"] == corefile
    for kind, name, namespace in (("PriorityClass", "urgent", ""), ("ConfigMap", "settings", "kube-system")):
        with pytest.raises(NotFound):
            root.get(kind, name, namespace)


def test_answers_have_namespaces_of_their_own_all_the_same(root: OwnedCluster) -> None:
    first, second = root.apart(), root.apart()
    first.create(SETTINGS)
    assert [one["metadata"]["name"] for one in second.list("ConfigMap")] == ["kube-root-ca.crt"]
    assert first.get("ConfigMap", "settings")["metadata"]["namespace"] == "default"


def test_what_was_stopped_runs_again_for_the_next_answer(root: OwnedCluster, powers: Powers) -> None:
    place = root.apart()
    before = powers.running()
    place.stop("kube-scheduler")
    place.stop("kube-proxy")
    place.start("kube-proxy")
    assert powers.running() == [name for name in before if name != "kube-scheduler"]
    place.close()
    assert powers.running() == before


def test_an_api_server_that_was_stopped_on_purpose_is_away_and_not_lost(tmp_path: Path, powers: Powers) -> None:
    nowhere = tmp_path / "config"
    kubeconfig.write(nowhere, kubeconfig.document("http://127.0.0.1:9", "secret", None))
    connection = OwnedConnection(nowhere)
    cluster = OwnedCluster(connection, QUICK, powers)
    with pytest.raises(ClusterError, match="no connection"):
        cluster.list("Node")
    connection.stopped = True
    with pytest.raises(ServiceUnavailable):
        cluster.list("Node")


def test_the_cluster_ends_with_the_first_of_the_family_only(root: OwnedCluster, powers: Powers) -> None:
    root.apart().close()
    assert not powers.closed
    root.close()
    assert powers.closed


def test_what_the_powers_lack_is_not_supported(root: OwnedCluster) -> None:
    with pytest.raises(NotSupportedHere, match="cut the power of a node"):
        root.power_off("worker-1")
    with pytest.raises(NotSupportedHere, match="be forked"):
        root.fork()


def test_a_cluster_that_has_broken_down_says_so(root: OwnedCluster, powers: Powers) -> None:
    powers.broken = "the simulated nodes have failed"
    with pytest.raises(ClusterError, match="the simulated nodes have failed"):
        root.wait_until(lambda: True, 1)
    with pytest.raises(ClusterError, match="the simulated nodes have failed"):
        root.whole()


def test_kind_is_opened_and_its_nodes_are_called_as_exercises_know_them(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything but the cluster pretends: its API is that of the served one."""
    pretender(
        tmp_path, "docker",
        {
            "^info": {"out": "2 8000000000"},
            "^inspect": {"out": "true"},
            "get deployment coredns": {"out": "2"},
            "crictl images": {"out": '{"images": []}'},
        },
    )  # fmt: skip
    pretender(
        tmp_path, "kind",
        {
            "^get nodes": {"out": "course-control-plane\ncourse-worker\ncourse-worker2\n"},
            "^get kubeconfig": {"out": config.read_text()},
        },
    )  # fmt: skip
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "autograder-run-0"  # with the keys to the cluster, by a run that was killed
    left.mkdir()
    left.with_name("autograder-run-0.lock").touch()
    cluster = KindCluster.ensure("course", QUICK)
    assert not left.exists()
    assert cluster.name == "kind"
    assert [line.split()[0] for line in calls(tmp_path, "kind")][:2] == ["get", "create"]
    place = cluster.apart()
    place.create(SETTINGS)
    place.power_off("worker-1")
    place.close()
    cluster.shell("worker-1", "curl http://control-plane:30080")
    assert "exec course-worker sh -c curl http://course-control-plane:30080" in calls(tmp_path, "docker")
    asked = calls(tmp_path, "docker")
    assert asked.index("kill course-worker") < asked.index("start course-worker")
    cluster.close()
    assert not any(line.startswith("delete") for line in calls(tmp_path, "kind"))


def test_a_cluster_that_has_broken_down_is_not_waited_for(root: OwnedCluster, powers: Powers) -> None:
    place = root.apart()
    place.create(SETTINGS)
    powers.broken = "etcd has ended by itself"
    with pytest.raises(ClusterError, match="etcd has ended by itself"):
        place.get("ConfigMap", "settings")
    powers.broken = ""
    assert place.get("ConfigMap", "settings")
