"""What a kubelet says of its node, whose machines there are, and what happens when one loses power."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from autograder.controlplane.apimachinery.scheme import EVENTS, LEASES, NODES, PODS
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.containers.volumes import DISK
from autograder.controlplane.topology import node

if TYPE_CHECKING:
    from tests.controlplane.kubelet.conftest import World

FOLDER = "/etc/kubernetes/manifests/"
MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  containers: [{name: c, image: "nginx:1.27"}]
"""


def ready_condition(world: World, name: str) -> dict[str, Any]:
    conditions = world.client.get(NODES, "", name)["status"].get("conditions", ())
    return next((one for one in conditions if one["type"] == "Ready"), {})


def test_a_node_is_made_ready(world: World) -> None:
    node = world.client.get(NODES, "", "worker-1")
    assert [(one["type"], one["status"], one["reason"]) for one in node["status"]["conditions"]] == [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID"), ("Ready", "True", "KubeletReady"),
    ]  # fmt: skip
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.36.2"


def test_a_lease_is_renewed_every_ten_seconds(world: World) -> None:
    renewals = []
    for _ in range(3):
        renewals.append(world.client.get(LEASES, "kube-node-lease", "worker-1")["spec"]["renewTime"])
        world.cluster.advance(10)
    assert renewals == [f"2026-01-01T09:00:{second}.000000Z" for second in ("00", "10", "20")]


def test_the_status_of_a_node_is_written_every_five_minutes(world: World) -> None:
    first = ready_condition(world, "worker-1")["lastHeartbeatTime"]
    world.cluster.advance(299)
    assert ready_condition(world, "worker-1")["lastHeartbeatTime"] == first
    world.cluster.advance(2)
    assert ready_condition(world, "worker-1")["lastHeartbeatTime"] == "2026-01-01T09:05:00Z"
    assert ready_condition(world, "worker-1")["lastTransitionTime"] == first


@pytest.mark.parametrize(("annotations", "ready"), [({"kwok.x-k8s.io/node": "fake"}, True), ({}, False)])
def test_only_an_annotated_node_of_a_user_gets_a_kubelet(
    world: World, annotations: dict[str, str], ready: bool
) -> None:
    manifest = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "extra", "annotations": annotations}}
    world.client.create(NODES, "", json.dumps(manifest).encode())  # type: ignore[arg-type]
    world.cluster.advance(3)
    assert (ready_condition(world, "extra").get("status") == "True") == ready
    if ready:
        assert world.run("web", nodeName="extra")["status"]["phase"] == "Running"


def test_a_node_without_power_falls_silent_and_its_containers_come_back(world: World) -> None:
    world.run("web")
    world.cluster.power_off("worker-1")
    world.cluster.advance(60)
    assert ready_condition(world, "worker-1")["status"] == "Unknown"
    assert world.container("web")["restartCount"] == 0
    world.cluster.power_on("worker-1")
    world.cluster.advance(10)
    assert ready_condition(world, "worker-1")["status"] == "True"
    status = world.container("web")
    assert (status["ready"], status["restartCount"]) == (True, 1)
    assert status["lastState"]["terminated"]["exitCode"] == 255
    assert "SandboxChanged" in world.reasons("web")


def test_containers_go_on_while_the_kubelet_is_stopped(world: World) -> None:
    script = "for i in 1 2 3 4 5; do echo $i; sleep 2; done; sleep 9999"
    world.sh("app", script)
    world.run("web", {"readinessProbe": {"httpGet": {"port": 80}}})
    world.cluster.stop("kubelet")
    world.run("late")
    world.cluster.advance(20)
    assert "containerStatuses" not in world.pod("late")["status"]
    world.cluster.start("kubelet")
    world.cluster.advance(2)
    assert world.logs("app") == "1\n2\n3\n4\n5\n"
    assert (world.container("app")["restartCount"], world.container("web")["ready"]) == (0, True)
    assert world.pod("late")["status"]["phase"] == "Running"


def test_a_pod_that_is_deleted_while_the_kubelet_is_stopped_ends_with_its_next_start(world: World) -> None:
    uid = world.sh("app", "sleep 9999")["metadata"]["uid"]
    world.cluster.stop("kubelet")
    world.client.delete(PODS, "default", "app", grace_period=0)
    world.cluster.advance(5)
    assert world.cluster.machines.containers_of(uid)
    world.cluster.start("kubelet")
    world.cluster.advance(2)
    assert not world.cluster.machines.containers_of(uid)


def write_file(world: World, path: str, text: str | None) -> None:
    """Write a file on the disk of ``worker-1``, or remove it (None)."""
    machines, disk = world.cluster.machines, DISK + "worker-1"
    files = {known: held for known, held in machines.volumes.read(disk).items() if known != path}
    machines.volumes.write(disk, files if text is None else {**files, path: text})


def test_a_manifest_on_the_disk_of_a_node_is_a_pod(world: World) -> None:
    write_file(world, FOLDER + "web.yaml", MANIFEST)
    world.cluster.advance(2)
    mirror = world.pod("web-worker-1")
    assert mirror["status"]["phase"] == "Running"
    assert mirror["metadata"]["annotations"]["kubernetes.io/config.source"] == "file"
    assert mirror["metadata"]["ownerReferences"][0]["kind"] == "Node"
    assert world.logs("web-worker-1") == ""


def test_a_mirror_that_is_deleted_comes_back_and_the_pod_goes_on(world: World) -> None:
    write_file(world, FOLDER + "web.yaml", MANIFEST)
    world.cluster.advance(2)
    before = world.pod("web-worker-1")
    world.client.delete(PODS, "default", "web-worker-1")
    world.cluster.advance(2)
    after = world.pod("web-worker-1")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["status"]["containerStatuses"] == before["status"]["containerStatuses"]


def test_a_manifest_that_is_removed_ends_the_pod(world: World) -> None:
    write_file(world, FOLDER + "web.yaml", MANIFEST)
    world.cluster.advance(2)
    write_file(world, FOLDER + "web.yaml", None)
    world.cluster.advance(2)
    assert not world.exists("web-worker-1")


@pytest.mark.parametrize("text", ["", "a: [", "kind: Service\napiVersion: v1\nmetadata: {name: x}", "kind: Pod",
                                  MANIFEST.replace("default", "5")])  # fmt: skip
def test_a_file_that_is_no_pod_is_passed_over(world: World, text: str) -> None:
    write_file(world, FOLDER + "x.yaml", text)
    world.cluster.advance(2)
    assert world.client.list(PODS)[0] == []


@pytest.mark.parametrize(
    "nonsense",
    ["initContainers: 5", "volumes: [5]", "terminationGracePeriodSeconds: x", "priority: [1]", "tolerations: [5]"],
)
def test_without_the_api_server_only_the_words_of_a_changed_manifest_are_believed(world: World, nonsense: str) -> None:
    write_file(world, FOLDER + "web.yaml", MANIFEST)
    world.cluster.advance(2)
    world.cluster.stop("kube-apiserver")
    changed = MANIFEST.replace("1.27", "1.28").replace("app: web", "app: 5") + f"  {nonsense}\n"
    write_file(world, FOLDER + "web.yaml", changed)
    world.cluster.advance(30)
    world.cluster.start("kube-apiserver")
    world.cluster.advance(30)
    pod = world.pod("web-worker-1")
    assert pod["metadata"]["labels"] == {"app": "web"}
    assert [one["image"] for one in pod["status"]["containerStatuses"]] == ["docker.io/library/nginx:1.28"]


def test_the_control_plane_stands_in_kube_system_as_static_pods() -> None:
    cluster = Cluster()
    cluster.advance(20)
    client = cluster.client()
    for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        pod = client.get(PODS, "kube-system", f"{name}-control-plane")
        assert pod["status"]["containerStatuses"][0]["ready"]
        assert pod["spec"]["containers"][0]["command"][0] == name
        assert pod["status"]["podIP"] == "10.250.0.10"


def test_a_pod_waits_for_an_address_when_its_node_has_none_left() -> None:
    small = node("worker-1", "10.250.0.11")
    cluster = Cluster(nodes=[small | {"spec": {"podCIDR": "10.9.0.0/29"}}])
    for number in range(6):
        body = {"nodeName": "worker-1", "containers": [{"name": "c", "image": "nginx:1.27"}]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{number}"}, "spec": body}
        cluster.client().create(PODS, "default", pod)
    cluster.advance(30)
    addresses = [one["status"].get("podIP") for one in cluster.client().list(PODS, "default")[0]]
    assert addresses == ["10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5", "10.9.0.6", None]
    (event,) = cluster.client().list(EVENTS, "default", fields="reason=FailedCreatePodSandBox")[0]
    assert event["message"].endswith(
        'plugin type="ptp" failed (add): failed to allocate for range 0: '
        "no IP addresses available in range set: 10.9.0.1-10.9.0.6"
    )
    cluster.client().delete(PODS, "default", "p1")
    cluster.advance(60)
    assert cluster.client().get(PODS, "default", "p5")["status"]["podIP"] == "10.9.0.3"


def test_a_node_with_a_range_of_ipv6_is_left_without_one(world: World) -> None:
    annotations = {"kwok.x-k8s.io/node": "fake"}
    manifest = {"metadata": {"name": "six", "annotations": annotations}, "spec": {"podCIDRs": ["fd00::/64"]}}
    world.client.create(NODES, "", {"apiVersion": "v1", "kind": "Node", **manifest})
    world.cluster.advance(5)
    assert world.run("p", nodeName="six")["status"]["podIP"] == "10.245.0.2"
