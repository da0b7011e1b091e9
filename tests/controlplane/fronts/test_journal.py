"""A cluster's journal: what is saved is enough to come back to the same bytes, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.controlplane.apimachinery.wire import ADMIN, Request
from autograder.controlplane.fronts import journal
from autograder.controlplane.fronts.journal import BadJournalError, CannotSaveError, RecordedCluster

PODS = "/api/v1/namespaces/default/pods"
SETS = "/apis/apps/v1/namespaces/default/replicasets"
LABELS = {"app": "web"}
REPLICA_SET = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}},
    },
}


def send(cluster: RecordedCluster, method: str, path: str, body: Any = None) -> Any:
    """One request, and all that it sets off at this moment."""
    headers = {"content-type": "application/json", "authorization": "Bearer secret"}
    response = cluster.handle(Request(method, path, {}, headers, json.dumps(body).encode() if body else b"", ADMIN))
    cluster.settle()
    return response.body


def pods(cluster: RecordedCluster) -> Any:
    """Everything about the Pods, as the API shows it."""
    return json.loads(json.dumps(send(cluster, "GET", PODS)))


def busy() -> RecordedCluster:
    """A cluster to which several things have happened, and which has some before it."""
    cluster = RecordedCluster()
    cluster.advance(60)
    send(cluster, "POST", SETS, REPLICA_SET)
    cluster.advance(10)
    send(cluster, "DELETE", f"{PODS}/{pods(cluster)['items'][0]['metadata']['name']}")
    cluster.act("stop", "kube-scheduler")
    cluster.settle()
    cluster.advance(0.5)
    return cluster


def reloaded(cluster: RecordedCluster) -> RecordedCluster:
    """The cluster after it went through a file."""
    return RecordedCluster.load(json.loads(json.dumps(cluster.save())))


def test_a_loaded_cluster_is_the_same_to_the_byte_and_goes_on_alike() -> None:
    first = busy()
    second = reloaded(first)
    assert second.clock.now == first.clock.now
    assert pods(second) == pods(first)
    for cluster in (first, second):
        cluster.act("start", "kube-scheduler")
        cluster.settle()
        cluster.advance(100)
    assert pods(second) == pods(first)


def test_what_was_done_on_a_node_is_part_of_it() -> None:
    cluster = RecordedCluster()
    cluster.run_on_node("control-plane", "mv /etc/kubernetes/manifests/kube-scheduler.yaml /root/")
    loaded = RecordedCluster.load(json.loads(json.dumps(cluster.save())))
    assert "kube-scheduler.yaml" in loaded.run_on_node("control-plane", "ls /root").stdout


def test_a_loaded_cluster_can_be_saved_again() -> None:
    cluster = busy()
    assert reloaded(cluster).save() == cluster.save()


def test_looking_leaves_no_trace() -> None:
    cluster = RecordedCluster()
    before = cluster.save()
    send(cluster, "GET", PODS)
    assert cluster.save() == before


def test_no_secret_is_saved() -> None:
    assert "secret" not in json.dumps(busy().save()["entries"])


def test_components_that_are_stopped_stay_so() -> None:
    assert "kube-scheduler" not in reloaded(busy()).running()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"format": "other"},
        {"format": journal.FORMAT},
        {"format": journal.FORMAT, "boot": {"seed": 0, "colour": "red"}, "now": 0, "entries": []},
        {"format": journal.FORMAT, "boot": {}, "now": "late", "entries": []},
        {"format": journal.FORMAT, "boot": {}, "now": 0, "entries": [{"at": 0}]},
        {"format": journal.FORMAT, "boot": {}, "now": 0, "entries": [{"at": 0, "event": "fork", "target": "x"}]},
        {"format": journal.FORMAT, "boot": {}, "now": 0, "entries": [{"at": 0, "event": "stop", "target": "x"}]},
    ],
)
def test_what_is_no_journal_is_refused(document: object) -> None:
    with pytest.raises(BadJournalError):
        RecordedCluster.load(document)


def test_a_cluster_that_was_sent_too_much_cannot_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LIMIT", 10)
    with pytest.raises(CannotSaveError, match="too much"):
        busy().save()


def test_who_sent_what_is_part_of_it() -> None:
    cluster = RecordedCluster(secret="of this cluster")
    path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    token = send(cluster, "POST", path, {"spec": {}})["status"]["token"]
    reader = {
        "metadata": {"name": "r"},
        "rules": [{"verbs": ["create"], "apiGroups": [""], "resources": ["configmaps"]}],
    }
    send(cluster, "POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", reader)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "default"}
    binding = {"metadata": {"name": "r"}, "roleRef": role, "subjects": [subject]}
    send(cluster, "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    by_token(cluster, token, "own")
    again = reloaded(cluster)
    found = send(again, "GET", f"{CONFIG_MAPS}/own")
    assert found["metadata"] == send(cluster, "GET", f"{CONFIG_MAPS}/own")["metadata"]
    assert by_token(again, token, "later") == 201, "the copy knows the tokens too"


CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def by_token(cluster: RecordedCluster, token: str, name: str) -> int:
    """Create a ConfigMap as whoever has a token; what is answered."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    body = json.dumps({"metadata": {"name": name}}).encode()
    return cluster.handle(Request("POST", CONFIG_MAPS, {}, headers, body)).code


def test_what_strangers_are_refused_fills_no_journal() -> None:
    cluster = RecordedCluster()
    before = cluster.save()
    assert by_token(cluster, "nonsense", "x") == 401
    assert cluster.handle(Request("POST", CONFIG_MAPS, {}, {}, b"x" * 1000)).code == 403
    assert cluster.save() == before
