"""A cluster that somebody else runs: only our namespaces are touched, and they go again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.clusters import Capability, ClusterError, NotSupportedHere
from autograder.clusters.connection import Connection, error_of
from autograder.clusters.interface import Taken
from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.clusters.served import NotServed, Refused, ServedCluster
from autograder.controlplane.apimachinery.errors import (
    BadRequest,
    Forbidden,
    InternalError,
    Invalid,
    NotFound,
    TooManyRequests,
)
from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, NAMESPACES, NODES, PODS, RESOURCES

SETTINGS: dict[str, Any] = {
    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "blue"},
}  # fmt: skip
TEAM = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}


@pytest.fixture
def cluster(config: Path) -> Iterator[KubeconfigCluster]:
    cluster = KubeconfigCluster.open(config, pace=QUICK)
    yield cluster
    cluster.close()


def namespaces(config: Path) -> dict[str, str]:
    """The namespaces that are there, and their phases, as their owner sees them."""
    items = json.loads(Connection(config).send("GET", NAMESPACES))["items"]
    return {item["metadata"]["name"]: item["status"]["phase"] for item in items}


def everything_else(config: Path) -> dict[str, list[Any]]:
    """What is in the cluster outside of our namespaces: uid and generation of each object."""
    connection, found = Connection(config), {}
    for kind in RESOURCES:
        if "list" in kind.verbs and kind.kind not in ("Event", "Lease"):
            items = json.loads(connection.send("GET", kind))["items"]
            kept = [item["metadata"] for item in items if "autograder-" not in json.dumps(item["metadata"])]
            found[kind.plural] = [(meta.get("uid"), meta["name"], meta.get("generation")) for meta in kept]
    return found


def test_other_work_is_left_as_it_was(config: Path, cluster: KubeconfigCluster) -> None:
    before = everything_else(config)
    cluster.create(TEAM)
    cluster.create(SETTINGS)
    cluster.create(SETTINGS, "team")
    cluster.patch("ConfigMap", "settings", {"data": {"colour": "red"}}, "team")
    cluster.delete("ConfigMap", "settings")
    cluster.close()
    assert everything_else(config) == before
    ours = {phase for name, phase in namespaces(config).items() if name.startswith("autograder-")}
    assert ours <= {"Terminating"}


def test_an_exercise_sees_its_own_names(cluster: KubeconfigCluster) -> None:
    cluster.create(TEAM)
    made = cluster.create(SETTINGS, "team")
    assert made["metadata"]["namespace"] == "team"
    assert [obj["metadata"]["namespace"] for obj in cluster.list("ConfigMap", "", fields="metadata.name=settings")] == [
        "team"
    ]
    found = cluster.get("Namespace", "team")["metadata"]
    assert (found["name"], found["labels"]) == ("team", {"kubernetes.io/metadata.name": "team"})
    with pytest.raises(NotFound):
        cluster.get("ConfigMap", "settings")


def test_each_answer_has_a_place_of_its_own(cluster: KubeconfigCluster) -> None:
    first, second = cluster.apart(), cluster.apart()
    first.create(SETTINGS)
    assert not [obj for obj in second.list("ConfigMap") if obj["metadata"]["name"] == "settings"]
    second.create(SETTINGS)


@pytest.mark.parametrize("kind", ["Node", "PersistentVolume", "ClusterRole", "PriorityClass"])
def test_nothing_of_the_whole_cluster_is_changed(cluster: KubeconfigCluster, kind: str) -> None:
    row = next(row for row in RESOURCES if row.kind == kind)
    with pytest.raises(NotSupportedHere, match="whole cluster"):
        cluster.create({"apiVersion": row.api_version, "kind": kind, "metadata": {"name": "x"}})
    with pytest.raises(NotSupportedHere, match="whole cluster"):
        cluster.patch(kind, "x", {})
    with pytest.raises(NotSupportedHere, match="whole cluster"):
        cluster.delete(kind, "x")


def test_namespaces_of_others_are_not_there(cluster: KubeconfigCluster) -> None:
    with pytest.raises(NotSupportedHere):
        cluster.get("Pod", "etcd-control-plane", "kube-system")
    assert cluster.list("Pod", "somebody-elses") == []
    with pytest.raises(NotFound, match='namespaces "somebody-elses" not found'):
        cluster.create(SETTINGS, "somebody-elses")
    with pytest.raises(NotFound):
        cluster.delete("Namespace", "kube-public-notices")


@pytest.mark.parametrize("name", ["..", ".", "../../default", "a/b", "x?y", ""])
def test_no_name_leads_out_of_our_namespaces(config: Path, cluster: KubeconfigCluster, name: str) -> None:
    before = everything_else(config)
    cluster.create(SETTINGS)
    with pytest.raises(Exception, match=r"not found|Invalid|the server|does not allow"):
        cluster.delete("ConfigMap", name)
    assert cluster.get("ConfigMap", "settings")
    assert everything_else(config) == before


def test_what_it_cannot_do_is_said(cluster: KubeconfigCluster) -> None:
    assert cluster.capabilities == frozenset()
    for act in (cluster.fork, lambda: cluster.stop("kube-scheduler"), lambda: cluster.power_off("worker-1")):
        with pytest.raises(NotSupportedHere):
            act()


def test_what_a_run_left_that_was_killed_is_deleted_by_the_next(config: Path) -> None:
    program = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from autograder.clusters.kubeconfig import KubeconfigCluster
        cluster = KubeconfigCluster.open(Path({str(config)!r}))
        cluster.create({TEAM!r})
        print("made", flush=True)
        sys.stdin.read()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        process.send_signal(signal.SIGKILL)
    assert [name for name, phase in namespaces(config).items() if "-team-" in name and phase == "Active"]
    KubeconfigCluster.open(config).close()
    assert not [name for name, phase in namespaces(config).items() if "-team-" in name and phase == "Active"]


# ---------------------------------------------------------------- what is nobody's mistake


def test_a_server_that_is_not_there_is_no_refusal(config: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.write_text(config.read_text().replace("https://127.0.0.1:", "https://127.0.0.1:1#"))
    with pytest.raises(ClusterError, match="no connection"):
        KubeconfigCluster.open(gone)


def test_credentials_that_are_not_taken_are_no_refusal(config: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    lines = [line if "token:" not in line else "    token: nobodys" for line in config.read_text().splitlines()]
    wrong.write_text("\n".join(lines))
    with pytest.raises(ClusterError, match="does not accept the credentials"):
        KubeconfigCluster.open(wrong)


def test_rights_that_we_lack_are_told_from_rules_about_objects(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection(config)
    monkeypatch.setattr(Connection, "_exchange", refusing(allowed=False))
    with pytest.raises(ClusterError, match="may not do this"):
        connection.send("POST", PODS, "default", body={})
    monkeypatch.setattr(Connection, "_exchange", refusing(allowed=True))
    with pytest.raises(Forbidden, match="exceeded quota"):
        connection.send("POST", PODS, "default", body={})


def refusing(*, allowed: bool) -> Any:
    def exchange(self: Connection, method: str, path: str, body: Any, content_type: str) -> str:
        if "selfsubjectaccessreviews" in path:
            return json.dumps({"status": {"allowed": allowed}})
        raise Forbidden("pods is forbidden: exceeded quota")

    return exchange


@pytest.mark.parametrize(
    ("code", "text", "error"),
    [
        (429, '{"kind": "Status", "reason": "TooManyRequests", "message": "later"}', TooManyRequests),
        (404, '{"kind": "Status", "message": "gone"}', NotFound),
        (418, '{"kind": "Status", "reason": "Teapot", "message": "short and stout"}', InternalError),
        (502, "<html>Bad Gateway</html>", InternalError),
        (500, "[]", InternalError),
    ],
)
def test_statuses_become_the_errors_of_the_embedded_server(code: int, text: str, error: type[Exception]) -> None:
    assert type(error_of(code, text)) is error


def test_of_several_contexts_one_must_be_named(tmp_path: Path) -> None:
    contexts = "".join(f"- name: {name}\n  context: {{cluster: c, user: u}}\n" for name in ("one", "two"))
    path = tmp_path / "config"
    path.write_text(f"clusters: [{{name: c, cluster: {{}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
                    f"contexts:\n{contexts}current-context: one\n")  # fmt: skip
    with pytest.raises(ClusterError, match="one, two; name one"):
        KubeconfigCluster.open(path)


# ---------------------------------------------------------------- the control of a served cluster


def test_a_served_cluster_is_controlled_by_its_kubeconfig(config: Path) -> None:
    served = ServedCluster(config)
    assert "kube-scheduler" in served.state()["running"]
    assert "kube-scheduler" in served.post("stop", target="kube-scheduler")["stopped"]
    assert "kube-scheduler" in served.post("start", target="kube-scheduler")["running"]
    before = served.state()["now"]
    assert served.post("advance", seconds=3600)["now"] > before
    with pytest.raises(Refused, match="no component is called"):
        served.post("stop", target="kube-nothing")


def test_without_a_served_cluster_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotServed, match="no cluster yet"):
        ServedCluster(tmp_path / "nowhere").state()
    odd = tmp_path / "odd"
    odd.write_text("clusters: []")
    with pytest.raises(NotServed, match="cannot be read"):
        ServedCluster(odd).state()


def test_reading_what_belongs_to_all_is_fine(cluster: KubeconfigCluster) -> None:
    assert {node["metadata"]["name"] for node in cluster.list("Node")} >= {"worker-1", "worker-2"}
    assert NODES.kind == cluster.get("Node", "worker-1")["kind"]
    assert Capability.CLUSTER_WIDE not in cluster.capabilities
    assert CONFIGMAPS.namespaced


def test_a_refusal_is_an_error_of_the_api_whatever_else_is_loaded() -> None:
    from autograder.controlplane.kube_apiserver.decoding import CannotBeHandled

    status = {"kind": "Status", "reason": "BadRequest", "message": "no", "code": 400}
    error = error_of(400, json.dumps(status))
    assert type(error) is BadRequest
    assert not isinstance(error, CannotBeHandled)


def test_the_next_answer_may_have_the_node_port_of_the_last(cluster: KubeconfigCluster) -> None:
    ports = [{"port": 80, "nodePort": 30080}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    for _ in range(2):
        place = cluster.apart()
        place.create({**service, "spec": {"type": "NodePort", "ports": ports}})
        place.close()


def test_a_node_port_that_somebody_has_is_told_from_one_that_cannot_be(cluster: KubeconfigCluster) -> None:
    def service(port: int) -> dict[str, Any]:
        spec = {"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}

    cluster.create(service(30081))
    with pytest.raises(Taken, match="node port 30081"):
        cluster.apart().create(service(30081))
    with pytest.raises(Invalid):
        cluster.apart().create(service(80))


def test_a_quota_counts_before_anybody_needs_it(cluster: KubeconfigCluster) -> None:
    place = cluster.apart()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    place.create(quota)
    assert place.get("ResourceQuota", "few")["status"]["used"] == {"pods": "0"}
