"""A real control plane with our nodes: what only such a cluster shows.  ``tests/behaviour`` runs on it too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from waiting import comes

from autograder.clusters import Capability, HttpAnswer, NotSupportedHere, Object, drain, request
from autograder.clusters.connection import Connection
from autograder.clusters.local import keeper
from autograder.clusters.local.cluster import COMPONENTS, LocalCluster, LocalPowers
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import NODES, PODS

pytestmark = [pytest.mark.needs("kube-apiserver"), pytest.mark.timeout(600)]

LABELS = {"app": "web"}
POD: dict[str, Any] = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": LABELS},
    "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}], "terminationGracePeriodSeconds": 1},
}  # fmt: skip
SERVICE: dict[str, Any] = {
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
    "spec": {"selector": LABELS, "ports": [{"port": 80}]},
}  # fmt: skip


def named(name: str, **spec: Any) -> Object:
    return {**POD, "metadata": {"name": name, "labels": LABELS}, "spec": {**POD["spec"], **spec}}


def phase(cluster: LocalCluster, name: str) -> str:
    return str(cluster.get("Pod", name)["status"].get("phase", ""))


def ready_nodes(cluster: LocalCluster) -> set[str]:
    return {
        node["metadata"]["name"] for node in cluster.list("Node")
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready" and condition["status"] == "True"
    }  # fmt: skip


def test_it_looks_as_under_kubeadm(cluster: LocalCluster) -> None:
    assert ready_nodes(cluster) == {"control-plane", "worker-1", "worker-2"}
    pods = [pod["metadata"]["name"] for pod in cluster.list("Pod", "kube-system")]
    for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        assert f"{name}-control-plane" in pods
    assert sum(name.startswith("coredns-") for name in pods) == 2
    assert sum(name.startswith("kube-proxy-") for name in pods) == 3


def test_kubelets_write_under_their_own_names(cluster: LocalCluster) -> None:
    cluster.create(POD)
    assert cluster.wait_until(lambda: phase(cluster, "web") == "Running", 60)
    pod = cluster.get("Pod", "web")
    managers = {entry["manager"] for entry in pod["metadata"]["managedFields"] if entry.get("subresource") == "status"}
    assert "node" in managers
    log = (local_folder(cluster) / "kube-apiserver.log").read_text()
    assert "is not allowed to" not in log


def test_a_service_is_reached_by_name_and_its_log_read_through_the_api_server(cluster: LocalCluster) -> None:
    cluster.create(POD)
    cluster.create(SERVICE)
    assert cluster.wait_until(lambda: phase(cluster, "web") == "Running", 60)
    assert cluster.wait_until(lambda: request(cluster, "http://web").code == 200, 60)
    assert "GET / HTTP/1.1" in cluster.logs("web")


def test_a_log_that_is_not_there_is_refused_by_the_kubelet(cluster: LocalCluster) -> None:
    cluster.create(
        named("slow", initContainers=[{"name": "wait", "image": "busybox:1.36", "command": ["sleep", "60"]}])
    )
    assert cluster.wait_until(lambda: bool(cluster.get("Pod", "slow")["spec"].get("nodeName")), 60)
    with pytest.raises(StatusError, match="waiting to start"):
        cluster.logs("slow", container="web")


def test_the_scheduler_is_a_process_that_can_be_killed(cluster: LocalCluster) -> None:
    cluster.stop("kube-scheduler")
    cluster.create(POD)
    cluster.advance(5)
    assert "nodeName" not in cluster.get("Pod", "web")["spec"]
    cluster.start("kube-scheduler")
    assert cluster.wait_until(lambda: phase(cluster, "web") == "Running", 60)


@pytest.mark.parametrize("component", ["kube-apiserver", "etcd"])
def test_without_the_api_nothing_answers_and_afterwards_everything_does(cluster: LocalCluster, component: str) -> None:
    cluster.create(POD)
    cluster.stop(component)
    with pytest.raises(StatusError):
        cluster.create(SERVICE)
    cluster.start(component)
    assert cluster.wait_until(lambda: phase(cluster, "web") == "Running", 90)


def test_what_an_answer_stopped_runs_again_for_the_next(local: LocalCluster) -> None:
    place = local.apart()
    for component in ("kube-scheduler", "kubelet", "coredns"):
        place.stop(component)
    place.close()
    other = local.apart()
    other.create(POD)
    assert other.wait_until(lambda: phase(other, "web") == "Running", 60)
    other.close()


def test_a_node_without_power_falls_silent_and_comes_back(local: LocalCluster) -> None:
    place = local.apart()
    place.power_off("worker-2")
    assert place.wait_until(lambda: "worker-2" not in ready_nodes(place), 120)
    place.close()
    assert "worker-2" in ready_nodes(local)


def test_what_was_changed_of_the_whole_cluster_is_put_back(local: LocalCluster) -> None:
    place = local.apart()
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "urgent"}}
    place.create({**priority, "value": 1000})
    place.patch("Node", "worker-1", {"metadata": {"labels": {"disk": "ssd"}}, "spec": {"unschedulable": True}})
    place.delete("ConfigMap", "coredns", "kube-system")
    place.close()
    node = local.get("Node", "worker-1")
    assert "disk" not in node["metadata"]["labels"]
    assert "unschedulable" not in node["spec"]
    assert [one["metadata"]["name"] for one in local.list("PriorityClass") if one["metadata"]["name"] == "urgent"] == []
    assert local.get("ConfigMap", "coredns", "kube-system")["data"]["Corefile"]


def test_a_node_is_drained(cluster: LocalCluster) -> None:
    cluster.create(named("web", nodeName="worker-1"))
    assert cluster.wait_until(lambda: phase(cluster, "web") == "Running", 60)
    assert drain(cluster, "worker-1") == ["default/web"]


def test_kube_proxy_stops_with_its_last_pod_and_starts_with_the_first(local: LocalCluster) -> None:
    powers = local.powers
    assert isinstance(powers, LocalPowers)
    place = local.whole()
    nowhere = {"spec": {"template": {"spec": {"nodeSelector": {"disk": "none"}}}}}
    place.patch("DaemonSet", "kube-proxy", nowhere, "kube-system")
    assert place.wait_until(lambda: "kube-proxy" not in powers.running(), 90)
    place.close()
    assert local.wait_until(lambda: "kube-proxy" in powers.running(), 90)


def test_time_and_copies_are_not_to_be_had(cluster: LocalCluster) -> None:
    assert not cluster.capabilities & {Capability.CLOCK, Capability.FORK}
    with pytest.raises(NotSupportedHere):
        cluster.fork()


def test_unknown_components_and_nodes_are_refused(cluster: LocalCluster) -> None:
    with pytest.raises(ValueError, match=f"there are {', '.join(COMPONENTS)}"):
        cluster.stop("kube-shredder")
    with pytest.raises(ValueError, match="there is no node worker-9"):
        cluster.power_off("worker-9")


def test_a_url_that_nobody_serves_is_no_answer(cluster: LocalCluster) -> None:
    answer = request(cluster, "http://nobody.default.svc.cluster.local")
    assert isinstance(answer, HttpAnswer)
    assert answer.code == 0


def local_folder(cluster: LocalCluster) -> Path:
    """Where the run keeps its logs."""
    return Path(cluster._own_connection.path).parent


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_served_cluster_leaves_nothing(tmp_path: Path, local: LocalCluster, how: signal.Signals) -> None:
    config = tmp_path / "config"
    command = [
        sys.executable,
        "-m",
        "autograder",
        "cluster",
        "serve",
        "--cluster",
        "local",
        "--without",
        "kube-scheduler",
    ]
    environment = {**os.environ, "TMPDIR": "/tmp"}  # short enough for a socket
    with subprocess.Popen(
        [*command, "--kubeconfig", str(config)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        connection = Connection(config)
        assert len(json.loads(connection.send("GET", NODES))["items"]) == 3
        kept = [path for path in Path("/tmp").glob("autograder-local-*") if path.is_dir()]
        own = [path for path in kept if (path / "admin.conf").read_bytes() == config.read_bytes()]
        assert len(own) == 1
        assert json.loads(connection.send("GET", PODS))["items"] is not None
        process.send_signal(how)
    assert comes(lambda: not own[0].exists() and keeper.processes_of(own[0]) == [])
    assert process.returncode == (0 if how is signal.SIGTERM else -signal.SIGKILL)
