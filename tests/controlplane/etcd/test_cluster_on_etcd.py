"""A cluster that is kept in a real etcd: what etcdctl would see, and what happens when etcd goes away."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import StoreError
from autograder.controlplane.apimachinery.wire import ADMIN, Object, Request
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.etcd.process import EtcdProcess
from autograder.controlplane.kube_apiserver.backend import bare, stamp

pytestmark = pytest.mark.needs("etcd")


@pytest.fixture
def process(etcd: EtcdProcess) -> Iterator[EtcdProcess]:
    """An etcd with nothing in it; ``etcd`` skips where there is none."""
    with EtcdProcess() as fresh:
        yield fresh


@pytest.fixture
def store(process: EtcdProcess) -> Iterator[Any]:
    from autograder.controlplane.etcd.remote import EtcdStore

    made = EtcdStore("127.0.0.1", process.port, stamp, bare)
    yield made
    made.close()


@pytest.fixture
def cluster(store: Any) -> Cluster:
    return Cluster(store=store)


@pytest.fixture
def stranger(process: EtcdProcess) -> Iterator[Callable[[str, Object], Any]]:
    """Somebody who talks to etcd past the API server, as etcdctl does."""
    from autograder.controlplane.etcd.gateway import Gateway

    gateway = Gateway("127.0.0.1", process.port)
    yield gateway.ask
    gateway.close()


def configmap(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for what happens outside of the cluster's own time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_a_cluster_is_the_same_in_memory_and_in_etcd(cluster: Cluster, store: Any) -> None:
    twin = Cluster()
    assert list(store.range("/registry/")) == list(twin.store.range("/registry/"))
    assert store.revision == twin.store.revision


def test_etcd_holds_objects_under_the_keys_of_kubernetes(cluster: Cluster, stranger: Callable[..., Any]) -> None:
    from autograder.controlplane.etcd.gateway import ALL, decode

    cluster.client().create(scheme.CONFIGMAPS, "default", configmap("mine"))
    found = {decode(one["key"]): one for one in stranger("/kv/range", ALL)["kvs"]}
    assert {"/registry/minions/worker-1", "/registry/namespaces/default", "/registry/configmaps/default/mine"} <= set(
        found
    )
    kept = json.loads(decode(found["/registry/configmaps/default/mine"]["value"]))
    assert kept["metadata"]["name"] == "mine" and "resourceVersion" not in kept["metadata"]


def test_what_others_do_in_etcd_is_seen(cluster: Cluster, stranger: Callable[..., Any]) -> None:
    from autograder.controlplane.etcd.gateway import encode

    client = cluster.client()
    revision = client.create(scheme.CONFIGMAPS, "default", configmap("mine"))["metadata"]["resourceVersion"]
    watch = client.watch(scheme.CONFIGMAPS, revision, "default")
    stranger("/kv/deleterange", {"key": encode("/registry/configmaps/default/mine")})
    until(watch.waiting)
    assert [event.type for event in watch.poll()] == ["DELETED"]
    assert client.create(scheme.CONFIGMAPS, "default", configmap("mine"))


def test_writes_of_others_in_between_do_not_get_lost(cluster: Cluster, stranger: Callable[..., Any]) -> None:
    from autograder.controlplane.etcd.gateway import encode

    client = cluster.client()
    for number in range(20):
        stranger("/kv/put", {"key": encode("/elsewhere"), "value": encode(str(number))})
        made = client.create(scheme.CONFIGMAPS, "default", configmap(f"c{number}"))
        assert client.get(scheme.CONFIGMAPS, "default", f"c{number}") == made


def test_without_etcd_reads_and_writes_fail_and_nothing_is_lost(cluster: Cluster, process: EtcdProcess) -> None:
    client = cluster.client()
    client.create(scheme.CONFIGMAPS, "default", configmap("before"))
    process.stop()
    until(lambda: bool(cluster.store.failure))
    for attempt in (
        lambda: client.create(scheme.CONFIGMAPS, "default", configmap("while")),
        lambda: client.list(scheme.CONFIGMAPS, "default"),
    ):
        with pytest.raises(StoreError) as failure:
            attempt()
        status = failure.value.status()
        assert (status["code"], status.get("reason")) == (500, None)
        assert status["message"].startswith("rpc error: code = Unavailable desc = connection error")
    ready = cluster.handle(Request("GET", "/readyz", {"verbose": [""]}, {}, b"", ADMIN))
    assert ready.code == 500 and "[-]etcd failed: reason withheld" in ready.body
    cluster.advance(30)
    process.start()
    until(lambda: not cluster.store.failure)
    names = [item["metadata"]["name"] for item in client.list(scheme.CONFIGMAPS, "default")[0]]
    assert names == ["before", "kube-root-ca.crt"]
    client.create(scheme.CONFIGMAPS, "default", configmap("after"))


def test_components_go_on_where_they_were_when_etcd_comes_back(cluster: Cluster, process: EtcdProcess) -> None:
    client = cluster.client()
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27"}]},
    }
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    client.create(scheme.DEPLOYMENTS, "default", deployment)
    process.stop()
    until(lambda: bool(cluster.store.failure))
    cluster.advance(90)
    process.start()
    until(lambda: not cluster.store.failure)
    cluster.advance(400)  # who failed again and again waits long before the next try
    status = client.get(scheme.DEPLOYMENTS, "default", "web")["status"]
    assert status.get("availableReplicas") == 3
    for node in client.list(scheme.NODES)[0]:
        assert {one["type"]: one["status"] for one in node["status"]["conditions"]}["Ready"] == "True"


def test_a_fork_lives_in_memory(cluster: Cluster, process: EtcdProcess) -> None:
    fork = cluster.fork()
    process.stop()
    fork.client().create(scheme.CONFIGMAPS, "default", configmap("mine"))
    fork.advance(60)
    assert fork.client().get(scheme.CONFIGMAPS, "default", "mine")


def test_etcd_is_compacted_by_the_clock_of_the_cluster(cluster: Cluster, stranger: Callable[..., Any]) -> None:
    from autograder.controlplane.etcd import StoreFailure
    from autograder.controlplane.etcd.gateway import ALL

    cluster.advance(700)
    assert 0 < cluster.store.compacted < cluster.store.revision
    stranger("/kv/range", {**ALL, "revision": str(cluster.store.compacted)})
    with pytest.raises(StoreFailure, match="required revision has been compacted"):
        stranger("/kv/range", {**ALL, "revision": str(cluster.store.compacted - 1)})


def test_history_that_was_compacted_while_we_were_away_is_bridged(
    cluster: Cluster, process: EtcdProcess, stranger: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else compacts before our watch is back: we know the outcome, if not each step."""
    from autograder.controlplane.etcd import gateway

    client = cluster.client()
    revision = client.create(scheme.CONFIGMAPS, "default", configmap("mine"))["metadata"]["resourceVersion"]
    watch = client.watch(scheme.CONFIGMAPS, revision, "default")
    monkeypatch.setattr(gateway, "_PAUSE", 3.0)
    process.stop()
    until(lambda: bool(cluster.store.failure))
    process.start()
    stranger("/kv/deleterange", {"key": gateway.encode("/registry/configmaps/default/mine")})
    answer = stranger("/kv/put", {"key": gateway.encode("/elsewhere"), "value": ""})
    stranger("/kv/compaction", {"revision": answer["header"]["revision"]})
    until(watch.waiting)
    assert [event.type for event in watch.poll()] == ["DELETED"]
    until(lambda: not cluster.store.failure)
    client.create(scheme.CONFIGMAPS, "default", configmap("mine"))


def test_who_comes_later_reads_of_etcd_what_was_before(cluster: Cluster, process: EtcdProcess) -> None:
    from autograder.controlplane.etcd import Compacted
    from autograder.controlplane.etcd.remote import EtcdStore

    prefix, first = "/registry/configmaps/default/", cluster.store.revision + 1
    for name in ("a", "b", "c"):
        cluster.client().create(scheme.CONFIGMAPS, "default", configmap(name))
    cluster.client().delete(scheme.CONFIGMAPS, "default", "a")
    last = cluster.store.revision
    later = EtcdStore("127.0.0.1", process.port, stamp, bare)
    try:
        for revision in range(first, last + 1):
            assert later.range(prefix, revision=revision) == cluster.store.range(prefix, revision=revision)
        before = cluster.store.range("", revision=first + 1)
        assert later.range("", revision=first + 1) == before
        assert [kv.key for kv in later.range(prefix, after=f"{prefix}a", limit=1, revision=first + 2)] == [f"{prefix}b"]
        cluster.store.compact(last)
        with pytest.raises(Compacted):
            later.range(prefix, revision=first)
    finally:
        later.close()
