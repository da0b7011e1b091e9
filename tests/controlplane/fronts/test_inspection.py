"""Looks inside of a cluster, as pictures ask for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.controlplane.apimachinery.wire import ADMIN, Request
from autograder.controlplane.fronts.control import PREFIX, Control
from autograder.controlplane.fronts.journal import RecordedCluster

POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"},
    "spec": {"containers": [{"name": "app", "image": "nginx:1.27"}]},
}  # fmt: skip
PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture(scope="module")
def cluster() -> RecordedCluster:
    """A cluster with one Pod."""
    booted = RecordedCluster()
    headers = {"content-type": "application/json"}
    assert booted.handle(Request("POST", PODS, {}, headers, json.dumps(POD).encode(), ADMIN)).code == 201
    booted.settle()
    return booted


def ask(cluster: RecordedCluster, name: str, **fields: Any) -> tuple[int, Any]:
    """One request: code and body."""
    control = Control(cluster, lambda: None)
    response = control.handle(Request("POST", PREFIX + name, {}, {}, json.dumps(fields).encode(), ADMIN))
    return response.code, response.body


def test_writes_say_who_made_an_object_and_who_went_on(cluster: RecordedCluster) -> None:
    code, body = ask(cluster, "writes", prefix="/registry/pods/default/")
    assert code == 200
    first, second = body["writes"][:2]
    assert (first["user"], first["verb"], first["key"]) == (ADMIN.name, "created", "/registry/pods/default/web")
    assert (second["user"], second["verb"]) == ("system:kube-scheduler", "updated")
    assert any(change.startswith("spec.nodeName: ") for change in second["changes"])
    assert first["revision"] < second["revision"]


def test_writes_of_one_resource_come_with_their_objects(cluster: RecordedCluster) -> None:
    _, body = ask(cluster, "writes", prefix="/registry/pods/default/")
    assert body["writes"][0]["value"]["metadata"]["name"] == "web"


def test_writes_of_everything_come_without(cluster: RecordedCluster) -> None:
    _, body = ask(cluster, "writes", prefix="/registry/")
    assert {write["value"] for write in body["writes"]} == {None}
    assert len(body["writes"]) > 100


def test_a_decision_names_every_node(cluster: RecordedCluster) -> None:
    code, body = ask(cluster, "decision", namespace="default", target="web")
    assert code == 200
    assert {node["node"] for node in body["nodes"]} == {"control-plane", "worker-1", "worker-2"}
    assert body["node"] in body["tied"]


@pytest.mark.parametrize(("name", "method", "path"), [("new", "POST", PODS), ("web", "PATCH", f"{PODS}/web")])
def test_a_trace_is_of_the_request_that_an_apply_would_send(
    cluster: RecordedCluster, name: str, method: str, path: str
) -> None:
    code, body = ask(cluster, "trace", manifest={**POD, "metadata": {"name": name}})
    assert (code, body["method"], body["path"]) == (200, method, path)
    assert [step["name"] for step in body["steps"]][:2] == ["authentication", "authorization"]


def test_a_trace_leaves_the_cluster_as_it_was(cluster: RecordedCluster) -> None:
    before = cluster.inside().store.revision, cluster.save()
    ask(cluster, "trace", manifest={**POD, "metadata": {"name": "new"}})
    assert (cluster.inside().store.revision, cluster.save()) == before


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("writes", {}, "`prefix`"),
        ("decision", {"namespace": "default"}, "`target`"),
        ("decision", {"namespace": "default", "target": "nobody"}, "remembers no try"),
        ("trace", {}, "`manifest`"),
        ("trace", {"manifest": []}, "`manifest`"),
        ("trace", {"manifest": {"kind": "Pot", "metadata": {}}}, "no objects of the kind Pot"),
    ],
)
def test_what_cannot_be_looked_at_is_said(
    cluster: RecordedCluster, name: str, fields: dict[str, Any], said: str
) -> None:
    code, body = ask(cluster, name, **fields)
    assert (code, said in body["message"]) == (400, True)


@pytest.mark.parametrize(
    ("component", "name", "fields", "code"),
    [("kube-scheduler", "decision", {"namespace": "default", "target": "web"}, 400),
     ("etcd", "writes", {"prefix": "/registry/"}, 503)],
)  # fmt: skip
def test_without_the_component_that_knows_nothing_is_told(
    component: str, name: str, fields: dict[str, Any], code: int
) -> None:
    cluster = RecordedCluster()
    cluster.act("stop", component)
    assert ask(cluster, name, **fields)[0] == code
