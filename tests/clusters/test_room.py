"""A student's room in a cluster that somebody else runs: their names, their namespaces, and nothing beside them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from foreign import everything_else, furnish, rested, with_least_rights
from serving import serving

from autograder.clusters import ClusterError, NotSupportedHere, kubectl
from autograder.clusters.attending import Visited
from autograder.clusters.connection import Connection
from autograder.clusters.kinds import kind_of
from autograder.clusters.kubectl import Ran
from autograder.clusters.room import RoomNames
from autograder.clusters.room_relay import RoomGate, Target, target_of
from autograder.clusters.served import NotServed, ServedCluster
from autograder.controlplane.apimachinery.scheme import NAMESPACES
from autograder.controlplane.apimachinery.wire import Request

Kubectl = Callable[..., Ran]

# ---------------------------------------------------------------- names


@pytest.fixture
def names() -> RoomNames:
    names = RoomNames("1a2b3c4d")
    names.add("dev", names.ours("dev"))
    return names


def test_every_namespace_has_a_name_of_ours_but_the_clusters_own(names: RoomNames) -> None:
    assert names.ours("default") == "autograder-default-1a2b3c4d"
    assert names.ours("kube-system") == "kube-system"
    assert names.ours("") == ""


@pytest.mark.parametrize("name", ["default", "dev", "my-team", "Team_A", "x"])
def test_names_come_back_wherever_they_stand(names: RoomNames, name: str) -> None:
    assert names.text_out(f'namespaces "{names.ours(name)}" not found') == f'namespaces "{name}" not found'
    assert names.text_out(f"/api/v1/namespaces/{names.ours(name)}/pods") == f"/api/v1/namespaces/{name}/pods"


def test_names_of_other_rooms_stay(names: RoomNames) -> None:
    assert names.text_out("autograder-dev-99999999") == "autograder-dev-99999999"


@pytest.mark.parametrize(
    ("written", "real"),
    [
        ("wget -qO- http://web.dev | grep title", "wget -qO- http://web.OURS | grep title"),
        ("http://web.dev:80/", "http://web.OURS:80/"),
        ("nslookup web.dev.svc.cluster.local", "nslookup web.OURS.svc.cluster.local"),
        ("http://example.com/dev", "http://example.com/dev"),
        ("http://web.prod", "http://web.prod"),
    ],
)
def test_hosts_in_namespaces_of_the_room_are_found(names: RoomNames, written: str, real: str) -> None:
    assert names.text_in(written) == real.replace("OURS", names.ours("dev"))


@pytest.mark.parametrize("field", ["metadata.namespace=dev", "involvedObject.name=web,involvedObject.namespace==dev"])
def test_field_selectors_mean_the_room(names: RoomNames, field: str) -> None:
    assert names.fields_in(field) == field.replace("=dev", f"={names.ours('dev')}")


# ---------------------------------------------------------------- the gate


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api/v1/namespaces", Target("", "namespaces")),
        ("/api/v1/namespaces/dev", Target("", "namespaces", "", "dev")),
        ("/api/v1/namespaces/dev/finalize", Target("", "namespaces", "", "dev", "finalize")),
        ("/api/v1/namespaces/dev/pods/web/exec", Target("", "pods", "dev", "web", "exec")),
        ("/api/v1/nodes/worker-1", Target("", "nodes", "", "worker-1")),
        ("/apis/apps/v1/namespaces/dev/deployments", Target("apps", "deployments", "dev")),
        ("/apis/apps/v1/deployments", Target("apps", "deployments")),
        ("/version", Target("", "")),
    ],
)
def test_paths_are_understood(path: str, target: Target) -> None:
    assert target_of(path) == target


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/api/v1/nodes/worker-1"),
        ("POST", "/api/v1/namespaces/kube-system/pods"),
        ("GET", "/api/v1/namespaces/kube-system/pods/etcd/exec"),
        ("DELETE", "/api/v1/namespaces/kube-system"),
        ("DELETE", "/api/v1/namespaces/default"),
        ("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles"),
        ("DELETE", "/apis/apps/v1/namespaces/kube-system/deployments/coredns"),
        ("POST", "/nonsense"),
    ],
)
def test_what_is_not_the_rooms_is_not_changed(method: str, path: str) -> None:
    assert RoomGate().refusal(Request(method, path)) is not None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/nodes"),
        ("GET", "/api/v1/namespaces/kube-system/pods"),
        ("POST", "/api/v1/namespaces"),
        ("DELETE", "/api/v1/namespaces/dev"),
        ("POST", "/api/v1/namespaces/dev/pods"),
        ("GET", "/api/v1/namespaces/dev/pods/web/exec"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ],
)
def test_reading_and_the_room_are_free(method: str, path: str) -> None:
    assert RoomGate().refusal(Request(method, path)) is None


# ---------------------------------------------------------------- with kubectl


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving(tmp_path_factory.mktemp("served")) as path:
        furnish(Connection(path))
        yield path


@pytest.fixture(scope="module")
def visited(config: Path) -> Iterator[Visited]:
    cluster = Visited(f"kubeconfig:{config}", config, "")
    yield cluster
    cluster.close()


def kubectl_for(visited: Visited, folder: Path) -> Kubectl:
    """Runs kubectl in a room."""
    path = folder / "room"
    path.write_text(yaml.safe_dump(visited.kubeconfig()))

    def run(line: str, stdin: str = "") -> Ran:
        return kubectl.run(
            line.split(), kubeconfig=path, home=folder, folder=folder, stdin=stdin, timeout=150, most=100_000
        )

    return run


@pytest.fixture
def run(visited: Visited, tmp_path: Path) -> Kubectl:
    return kubectl_for(visited, tmp_path)


def active(config: Path) -> list[str]:
    """Our namespaces that nobody has deleted yet."""
    items = json.loads(Connection(config).send("GET", NAMESPACES))["items"]
    found = [item["metadata"]["name"] for item in items if item["status"]["phase"] == "Active"]
    return [name for name in found if name.startswith("autograder-")]


def test_a_student_works_under_the_usual_names(run: Kubectl, config: Path) -> None:
    before = rested(Connection(config))
    assert run("create namespace dev").out == "namespace/dev created\n"
    assert run("run web --image=traefik/whoami:v1.11 -n dev").out == "pod/web created\n"
    assert run("expose pod web --port=80 -n dev").out == "service/web exposed\n"
    assert run("run client --image=busybox:1.36 --command -- sleep 1000").out == "pod/client created\n"
    for line in ("wait --for=condition=Ready pod/web -n dev", "wait --for=condition=Ready pod/client"):
        assert run(line).code == 0
    assert run("exec client -- wget -qO- http://web.dev").out.startswith("Hostname: web\n")
    assert run("get pods -o name").out == "pod/client\n"
    assert "No resources found in somebodys namespace." in run("get pods -n somebodys").err
    assert 'namespaces "somebodys" not found' in run("run web --image=nginx -n somebodys").err
    everywhere = run("get pods -A -o jsonpath={.items[*].metadata.namespace}").out.split()
    assert set(everywhere) == {"dev", "default", "kube-system"}
    assert run("get namespaces -o name").out.split() == [
        f"namespace/{name}" for name in ("default", "dev", "kube-node-lease", "kube-public", "kube-system")
    ]
    labels = run("get namespace dev -o jsonpath={.metadata.labels}{.metadata.annotations}").out
    assert labels == '{"kubernetes.io/metadata.name":"dev"}'
    assert run("delete namespace dev").out == 'namespace "dev" deleted\n'
    assert everything_else(Connection(config)) == before


@pytest.mark.parametrize(
    "line",
    [
        "label node worker-1 disk=ssd",
        "delete namespace kube-system",
        "scale deployment coredns -n kube-system --replicas=0",
        "exec -n kube-system etcd-control-plane -- etcdctl version",
        "create clusterrole all --verb=* --resource=*",
    ],
)
def test_what_belongs_to_all_is_not_run_there(run: Kubectl, config: Path, line: str) -> None:
    before = everything_else(Connection(config))
    ran = run(line)
    assert (ran.code, "not run there: " in ran.err) == (1, True)
    assert everything_else(Connection(config)) == before


def test_the_default_namespace_stays(run: Kubectl) -> None:
    assert 'namespaces "default" is forbidden: this namespace may not be deleted' in run("delete namespace default").err


def test_a_refusal_names_what_the_student_named(run: Kubectl) -> None:
    assert run("create namespace Team_A").err.startswith('The Namespace "Team_A" is invalid: metadata.name: Invalid')


def test_a_namespace_that_is_applied_is_the_rooms(run: Kubectl) -> None:
    text = '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "applied"}}'
    assert run("apply -f -", stdin=text).out == "namespace/applied created\n"
    assert run("apply -f -", stdin=text).out == "namespace/applied unchanged\n"
    assert run("delete -f -", stdin=text).code == 0


def test_who_has_no_right_is_told_that_it_is_not_run_there(config: Path, tmp_path: Path) -> None:
    least = with_least_rights(config, tmp_path)
    cluster = Visited(f"kubeconfig:{least}", least, "")
    try:
        run = kubectl_for(cluster, tmp_path)
        assert run("create configmap colours --from-literal=sky=blue").code == 0
        assert "not run there: roles.rbac" in run("create role reader --verb=get --resource=pods").err
        grant = Path("deploy/kubeconfig-notebooks-rbac.yaml").read_text(encoding="utf-8")
        for document in yaml.safe_load_all(grant):
            Connection(config).send("POST", kind_of(document), body=document)
        run("create deployment web --image=nginx:1.27")
        assert run("rollout status deployment/web").code == 0
        assert run("scale deployment web --replicas=2").code == 0
        assert run("exec deployment/web -- hostname").out.startswith("web-")
        for act in (lambda: cluster.stop("kube-scheduler"), lambda: cluster.power_off("worker-1")):
            with pytest.raises(NotSupportedHere):
                act()
        assert cluster.advance(0.1) == 0.1
    finally:
        cluster.close()


def test_who_serves_the_cluster_controls_it(visited: Visited, config: Path) -> None:
    before = visited.now()
    assert visited.advance(3600) == 3600
    assert visited.now() > before
    visited.stop("kube-scheduler")
    assert visited.stopped() == ["kube-scheduler"]
    visited.start("kube-scheduler")
    assert "kube-scheduler" in ServedCluster(config).state()["running"]
    with pytest.raises(NotSupportedHere, match="give a shell on its nodes"):
        visited.command("worker-1", "ps")


def test_with_the_room_its_namespaces_go_and_what_was_stopped_starts(config: Path, tmp_path: Path) -> None:
    there = active(config)
    cluster = Visited(f"kubeconfig:{config}", config, "")
    run = kubectl_for(cluster, tmp_path)
    run("create namespace mine")
    cluster.stop("kube-scheduler")
    assert len(active(config)) == len(there) + 2
    cluster.close()
    assert active(config) == there
    assert "kube-scheduler" in ServedCluster(config).state()["running"]


def test_what_a_killed_process_leaves_is_deleted_by_the_next(config: Path, tmp_path: Path) -> None:
    there = active(config)
    words = ["cluster", "serve", "--cluster", f"kubeconfig:{config}", "--kubeconfig", str(tmp_path / "room")]
    with subprocess.Popen([sys.executable, "-m", "autograder", *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert ServedCluster(tmp_path / "room").state()["cluster"] == f"kubeconfig:{config}"
        process.send_signal(signal.SIGKILL)
    assert len(active(config)) == len(there) + 1
    with pytest.raises(NotServed):
        ServedCluster(tmp_path / "room").state()
    Visited(f"kubeconfig:{config}", config, "").close()
    assert active(config) == there


def test_a_cluster_that_gives_no_room_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="nowhere"):
        Visited("kubeconfig:nowhere", tmp_path / "nowhere", "")
