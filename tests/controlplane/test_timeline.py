"""The timeline: who wrote what, when, and because of what."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, DEPLOYMENTS, PODS
from autograder.controlplane.apimachinery.wire import Object, User
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.kube_apiserver import chronicle
from autograder.controlplane.timeline import Entry, chain

CONTROLLERS = "system:serviceaccount:kube-system:"
JANE = User("jane", ("system:masters", "system:authenticated"))
SETTINGS: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"colour": "blue"},
}


def deployment(replicas: int = 1) -> Object:
    template = {
        "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "nginx:1.27"}]},
    }  # fmt: skip
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


@pytest.fixture(scope="module")
def warm() -> Cluster:
    cluster = Cluster()
    cluster.advance(60)
    return cluster


@pytest.fixture
def cluster(warm: Cluster) -> Cluster:
    return warm.fork()


def about(entries: list[Entry], kind: str) -> list[Entry]:
    return [entry for entry in entries if entry.kind == kind]


def test_a_write_is_told_with_its_author_and_what_it_changed(cluster: Cluster) -> None:
    since, client = cluster.store.revision, cluster.client(JANE)
    client.create(CONFIGMAPS, "default", SETTINGS)
    client.patch(CONFIGMAPS, "default", "settings", {"data": {"colour": "red", "size": "big"}})
    client.delete(CONFIGMAPS, "default", "settings")
    told = cluster.timeline(since)
    assert [(entry.who, entry.verb, entry.kind, entry.name) for entry in told] == [
        ("jane", verb, "ConfigMap", "settings") for verb in ("created", "updated", "deleted")
    ]
    assert told[1].changes == ("data.colour: blue -> red", "data.size: big")
    assert [entry.revision for entry in told] == list(range(since + 1, since + 4))


def test_the_way_from_a_deployment_to_its_running_pod(cluster: Cluster) -> None:
    since = cluster.store.revision
    cluster.client(JANE).create(DEPLOYMENTS, "default", deployment())
    cluster.advance(10)
    told = chain(cluster.timeline(since), "Deployment", "web")
    created = [(entry.who.removeprefix(CONTROLLERS), entry.kind) for entry in told if entry.verb == "created"]
    assert created == [
        ("jane", "Deployment"),
        ("deployment-controller", "ReplicaSet"),
        ("replicaset-controller", "Pod"),
    ]
    pod = about(told, "Pod")
    assert [str(owner).partition("-")[0] for owner in pod[0].because_of] == ["ReplicaSet web", "Deployment web"]
    assert (
        next(entry.who for entry in pod if any("spec.nodeName" in one for one in entry.changes))
        == "system:kube-scheduler"
    )
    assert any("status.phase: Pending -> Running" in entry.changes for entry in pod)
    assert any("status.conditions[Ready]: False (ContainersNotReady) -> True" in entry.changes for entry in pod)


def test_what_was_refused_is_not_told(cluster: Cluster) -> None:
    since = cluster.store.revision
    with pytest.raises(Exception, match="unknown field"):
        cluster.client(JANE).create(CONFIGMAPS, "default", {**SETTINGS, "dater": {}})
    cluster.client(JANE).list(PODS)
    assert cluster.timeline(since) == []


def test_time_is_that_of_the_cluster(cluster: Cluster) -> None:
    since = cluster.store.revision
    cluster.client(JANE).create(CONFIGMAPS, "default", SETTINGS)
    cluster.advance(90)
    cluster.client(JANE).delete(CONFIGMAPS, "default", "settings")
    told = about(cluster.timeline(since), "ConfigMap")
    assert told[0].time == "2026-01-01T09:01:00Z"
    assert told[1].time == "2026-01-01T09:02:30Z"


def test_what_etcd_has_compacted_is_still_told(cluster: Cluster) -> None:
    since = cluster.store.revision
    cluster.client(JANE).create(CONFIGMAPS, "default", SETTINGS)
    cluster.advance(3600)
    assert cluster.store.compacted > since
    assert about(cluster.timeline(since), "ConfigMap")[0].who == "jane"


def test_a_fork_has_a_timeline_of_its_own(cluster: Cluster) -> None:
    fork, since = cluster.fork(), cluster.store.revision
    fork.client(JANE).create(CONFIGMAPS, "default", SETTINGS)
    assert cluster.timeline(since) == []
    assert [entry.name for entry in fork.timeline(since)] == ["settings"]
    assert fork.timeline()[: len(cluster.timeline())] == cluster.timeline()


def test_only_so_much_is_kept(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chronicle, "LIMIT", 10)
    client = cluster.client(JANE)
    client.create(CONFIGMAPS, "default", SETTINGS)
    for number in range(50):
        client.patch(CONFIGMAPS, "default", "settings", {"data": {"colour": str(number)}})
    told = about(cluster.timeline(), "ConfigMap")
    assert 10 <= len(told) <= 20
    assert told[-1].changes == ("data.colour: 48 -> 49",)
