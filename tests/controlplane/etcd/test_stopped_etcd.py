"""A cluster whose etcd is stopped and started, where the store is in this process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import StoreError
from autograder.controlplane.client import Client
from autograder.controlplane.cluster import Cluster

REPLICAS = 2


def deployment() -> dict[str, object]:
    """A Deployment of two web servers."""
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
    }
    spec = {"replicas": REPLICAS, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


@cache
def booted() -> Cluster:
    """A cluster in which a Deployment is rolled out."""
    cluster = Cluster()
    cluster.client().create(scheme.DEPLOYMENTS, "default", deployment())
    cluster.advance(60)
    return cluster


@pytest.fixture
def cluster() -> Cluster:
    return booted().fork()


def pods(cluster: Cluster) -> dict[str, int]:
    """How often the container of each Pod was restarted."""
    items = cluster.client().list(scheme.PODS, "default")[0]
    return {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in items}


@pytest.mark.parametrize(
    "attempt",
    [
        lambda client: client.get(scheme.DEPLOYMENTS, "default", "web"),
        lambda client: client.list(scheme.PODS, "default"),
        lambda client: client.delete(scheme.DEPLOYMENTS, "default", "web"),
        lambda client: client.create(scheme.DEPLOYMENTS, "default", deployment()),
    ],
    ids=["get", "list", "delete", "create"],
)
def test_no_request_is_answered_without_etcd(cluster: Cluster, attempt: Callable[[Client], object]) -> None:
    cluster.stop("etcd")
    with pytest.raises(StoreError, match=r"dial tcp 127\.0\.0\.1:2379: connect: connection refused"):
        attempt(cluster.client())


def test_what_ran_is_as_it_was_when_etcd_is_back(cluster: Cluster) -> None:
    before = pods(cluster)
    cluster.stop("etcd")
    cluster.advance(600)
    cluster.start("etcd")
    cluster.advance(120)
    assert pods(cluster) == before
    assert len(before) == REPLICAS


def test_work_goes_on_when_etcd_is_back(cluster: Cluster) -> None:
    cluster.stop("etcd")
    cluster.advance(60)
    cluster.start("etcd")
    cluster.client().patch(scheme.DEPLOYMENTS, "default", "web", {"spec": {"replicas": REPLICAS + 1}})
    cluster.advance(120)
    status = cluster.client().get(scheme.DEPLOYMENTS, "default", "web")["status"]
    assert status["readyReplicas"] == REPLICAS + 1


def test_a_fork_has_an_etcd_of_its_own(cluster: Cluster) -> None:
    twin = cluster.fork()
    twin.stop("etcd")
    assert pods(cluster)
    stopped_too = twin.fork()
    with pytest.raises(StoreError):
        pods(stopped_too)
