"""The cluster that nobody has configured: what kubeadm leaves in it, and how its components follow their pods."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import ServiceUnavailable, StatusError
from autograder.controlplane.cluster import Cluster

CONTROL_PLANE = "control-plane"
MANIFESTS = "/etc/kubernetes/manifests"


@pytest.fixture(scope="module")
def settled() -> Cluster:
    cluster = Cluster()
    cluster.advance(30)
    return cluster


@pytest.fixture
def cluster(settled: Cluster) -> Cluster:
    return settled.fork()


def shell(cluster: Cluster, command: str, node: str = CONTROL_PLANE) -> str:
    done = cluster.node_shell(node, command)
    return done.stdout + done.stderr


def pods(cluster: Cluster, labels: str) -> dict[str, str]:
    """The pods of the system with some labels: whether each is ready, by name."""
    found, _ = cluster.client().list(scheme.PODS, "kube-system", labels=labels)
    return {
        pod["metadata"]["name"]: next(
            one["status"] for one in pod["status"].get("conditions", ()) if one["type"] == "Ready"
        )
        for pod in found
    }


def finds_names(cluster: Cluster) -> bool:
    """Whether a pod of a worker gets answers from the name server."""
    sandbox = next(one for one in cluster.machines.sandboxes.values() if one.name.startswith("coredns"))
    return cluster.machines.wire.name_server_answers(sandbox)


# ------------------------------------------------------------ what is there


def test_all_that_kubeadm_installs_becomes_ready_within_seconds() -> None:
    cluster = Cluster()
    cluster.advance(15)
    for labels, count in (("tier=control-plane", 4), ("k8s-app=kube-proxy", 3), ("k8s-app=kube-dns", 2)):
        ready = pods(cluster, labels)
        assert len(ready) == count
        assert set(ready.values()) == {"True"}


def test_the_name_servers_stand_behind_the_address_that_kubelets_tell_their_pods(cluster: Cluster) -> None:
    service = cluster.client().get(scheme.SERVICES, "kube-system", "kube-dns")
    assert service["spec"]["clusterIP"] in shell(cluster, "grep -A 1 clusterDNS /var/lib/kubelet/config.yaml")
    names = [port["name"] for port in service["spec"]["ports"]]
    assert names == ["dns", "dns-tcp", "metrics"]


@pytest.mark.parametrize(
    ("namespace", "name", "key", "part"),
    [
        ("kube-system", "coredns", "Corefile", "kubernetes cluster.local"),
        ("kube-system", "kube-proxy", "config.conf", "KubeProxyConfiguration"),
        ("kube-system", "kubeadm-config", "ClusterConfiguration", "kubernetesVersion: v1.36.2"),
        ("kube-system", "kubelet-config", "kubelet", "staticPodPath: /etc/kubernetes/manifests"),
        ("kube-public", "cluster-info", "kubeconfig", "server: https://10.250.0.10:6443"),
    ],
)
def test_what_kubeadm_keeps_in_config_maps(cluster: Cluster, namespace: str, name: str, key: str, part: str) -> None:
    assert part in cluster.client().get(scheme.CONFIGMAPS, namespace, name)["data"][key]


def test_a_cluster_with_nodes_of_its_own_has_no_system_pods() -> None:
    cluster = Cluster(nodes=[])
    assert cluster.client().list(scheme.PODS)[0] == []
    assert cluster.client().list(scheme.DEPLOYMENTS)[0] == []


# ------------------------------------------------------------ a shell on a node


@pytest.mark.parametrize(
    ("node", "command", "part"),
    [
        (CONTROL_PLANE, "ps aux | grep kube-apiserver", "kube-apiserver --advertise-address=10.250.0.10"),
        (CONTROL_PLANE, "ps -aux | grep etcd | head -1", "etcd --advertise-client-urls=https://10.250.0.10:2379"),
        (CONTROL_PLANE, "ps -ef | grep /usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml"),
        (CONTROL_PLANE, f"ls {MANIFESTS} | wc -l", "4"),
        ("worker-1", f"ls {MANIFESTS} | wc -l", "0"),
        (CONTROL_PLANE, f"cat {MANIFESTS}/kube-scheduler.yaml", "--leader-elect=true"),
        ("worker-1", "cat /etc/systemd/system/kubelet.service.d/10-kubeadm.conf", "KUBELET_KUBEADM_ARGS"),
        ("worker-1", "systemctl status kubelet", "Active: active (running)"),
        ("worker-1", "crictl ps", "kube-proxy"),
        ("worker-1", "crictl images | grep pause", "registry.k8s.io/pause"),
        ("worker-2", "iptables-save -t nat | grep kube-dns:dns-tcp", "-d 10.96.0.10/32"),
        ("worker-2", "journalctl -u kubelet -n 50", 'reason="Started"'),
        ("worker-2", "hostname", "worker-2"),
    ],
)
def test_what_a_lesson_looks_at_on_a_node(cluster: Cluster, node: str, command: str, part: str) -> None:
    assert part in shell(cluster, command, node)


@pytest.mark.parametrize(
    ("command", "code", "part"),
    [
        ("frobnicate", 127, "not found"),
        ("echo '", 2, "syntax error"),
        ("cat /nowhere", 1, "No such file"),
        ("systemctl status nonsense", 4, "could not be found"),
        ("systemctl restart nonsense", 5, "Failed to restart nonsense.service: Unit nonsense.service not found."),
        ("systemctl stop nonsense", 5, "Unit nonsense.service not loaded."),
        ("x" * 30_000, 126, "too long"),
        ("while true; do :; done", 137, ""),
    ],
)
def test_what_cannot_be_run_says_so_and_ends(cluster: Cluster, command: str, code: int, part: str) -> None:
    done = cluster.node_shell(CONTROL_PLANE, command)
    assert done.code == code
    assert part in done.stderr


def test_an_unknown_node_is_a_clear_error_and_a_dark_one_does_not_answer(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="no machine is called worker-9; there are control-plane, worker-1"):
        cluster.node_shell("worker-9", "true")
    cluster.power_off("worker-1")
    assert "No route to host" in shell(cluster, "true", "worker-1")


def test_what_is_written_on_a_node_stays_there_and_on_no_other_cluster(cluster: Cluster) -> None:
    fork = cluster.fork()
    shell(cluster, "echo hello > /root/note")
    assert shell(cluster, "cat /root/note") == "hello\n"
    assert "No such file" in shell(fork, "cat /root/note")


# ------------------------------------------------------------ pods and components


@pytest.mark.parametrize("name", ["kube-scheduler", "kube-controller-manager"])
def test_a_component_goes_with_its_manifest_and_comes_back_with_it(cluster: Cluster, name: str) -> None:
    shell(cluster, f"mv {MANIFESTS}/{name}.yaml /root/")
    cluster.advance(5)
    assert name not in cluster.running()
    assert pods(cluster, f"component={name}") == {}
    shell(cluster, f"mv /root/{name}.yaml {MANIFESTS}/")
    cluster.advance(20)
    assert name in cluster.running()
    assert pods(cluster, f"component={name}") == {f"{name}-{CONTROL_PLANE}": "True"}


@pytest.mark.parametrize("name", ["kube-apiserver", "etcd"])
def test_the_api_goes_with_the_manifest_of_its_server_or_store(cluster: Cluster, name: str) -> None:
    shell(cluster, f"mv {MANIFESTS}/{name}.yaml /root/")
    cluster.advance(5)
    with pytest.raises(StatusError):
        cluster.client().list(scheme.PODS)
    shell(cluster, f"mv /root/{name}.yaml {MANIFESTS}/")
    cluster.advance(20)
    assert pods(cluster, f"component={name}") == {f"{name}-{CONTROL_PLANE}": "True"}


def test_a_broken_manifest_of_the_api_server_can_be_mended_on_the_node(cluster: Cluster) -> None:
    manifest = f"{MANIFESTS}/kube-apiserver.yaml"
    shell(cluster, f"sed -i 's/kube-apiserver:v1.36.2/kube-apiserver:v0/' {manifest}")
    cluster.advance(60)
    with pytest.raises(ServiceUnavailable):
        cluster.client().list(scheme.PODS)
    shell(cluster, f"sed -i 's/kube-apiserver:v0/kube-apiserver:v1.36.2/' {manifest}")
    shell(cluster, f"echo '# mended' >> {manifest}")
    cluster.advance(60)
    assert pods(cluster, "component=kube-apiserver") == {f"kube-apiserver-{CONTROL_PLANE}": "True"}


def test_a_component_that_was_stopped_by_hand_stays_so_whatever_its_pod_does(cluster: Cluster) -> None:
    cluster.stop("kube-scheduler")
    shell(cluster, f"mv {MANIFESTS}/kube-scheduler.yaml /root/")
    cluster.advance(5)
    shell(cluster, f"mv /root/kube-scheduler.yaml {MANIFESTS}/")
    cluster.advance(20)
    assert "kube-scheduler" not in cluster.running()
    cluster.start("kube-scheduler")
    assert "kube-scheduler" in cluster.running()


def test_a_killed_scheduler_is_started_again_by_the_kubelet(cluster: Cluster) -> None:
    shell(cluster, "kill -9 $(ps aux | grep kube-scheduler | head -1 | tr -s ' ' | cut -d ' ' -f 2)")
    assert "kube-scheduler" not in cluster.running()
    cluster.advance(20)
    assert "kube-scheduler" in cluster.running()
    pod = cluster.client().get(scheme.PODS, "kube-system", f"kube-scheduler-{CONTROL_PLANE}")
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 1


def test_a_control_plane_without_power_is_gone_until_it_boots(cluster: Cluster) -> None:
    cluster.power_off(CONTROL_PLANE)
    cluster.settle()
    with pytest.raises(StatusError):
        cluster.client().list(scheme.PODS)
    cluster.power_on(CONTROL_PLANE)
    cluster.advance(30)
    assert {"kube-scheduler", "kube-controller-manager"} <= set(cluster.running())


def test_without_name_server_pods_nobody_finds_a_name(cluster: Cluster) -> None:
    assert finds_names(cluster)
    cluster.client().patch(scheme.DEPLOYMENTS, "kube-system", "coredns", {"spec": {"replicas": 0}})
    sandbox = next(iter(cluster.machines.sandboxes.values()))
    cluster.advance(60)
    assert not cluster.machines.wire.name_server_answers(sandbox)


def test_a_stopped_name_server_does_not_answer_and_its_pods_become_unready(cluster: Cluster) -> None:
    cluster.stop("coredns")
    assert not finds_names(cluster)
    cluster.advance(40)
    assert set(pods(cluster, "k8s-app=kube-dns").values()) == {"False"}
    cluster.start("coredns")
    cluster.advance(40)
    assert set(pods(cluster, "k8s-app=kube-dns").values()) == {"True"}
    assert finds_names(cluster)


def test_rules_stay_but_grow_old_without_kube_proxy_pods(cluster: Cluster) -> None:
    cluster.client().delete(scheme.DAEMONSETS, "kube-system", "kube-proxy", propagation="Background")
    cluster.advance(60)
    assert "kube-proxy" not in cluster.running()
    assert "kube-dns" in shell(cluster, "iptables-save")


def test_crictl_tells_ids_in_full_when_it_is_quiet_and_ages_in_words(cluster: Cluster) -> None:
    (found,) = shell(cluster, "crictl ps -q --name kube-proxy", "worker-1").split()
    assert len(found) == 64
    for seconds, age in ((70, "About a minute ago"), (60, "2 minutes ago"), (3600, "About an hour ago")):
        cluster.advance(seconds)
        assert age in shell(cluster, f"crictl ps | grep {found[:13]}", "worker-1")


def test_a_kubelet_that_was_stopped_on_its_node_makes_it_not_ready_and_leaves_its_containers(cluster: Cluster) -> None:
    def ready() -> str:
        conditions = cluster.client().get(scheme.NODES, "", "worker-1")["status"]["conditions"]
        return str({one["type"]: one["status"] for one in conditions}["Ready"])

    shell(cluster, "systemctl stop kubelet", "worker-1")
    cluster.advance(60)
    assert ready() == "Unknown"
    assert "kube-proxy" in shell(cluster, "crictl ps", "worker-1")
    shell(cluster, "systemctl start kubelet", "worker-1")
    cluster.advance(20)
    assert ready() == "True"
