"""Informers: what a component knows of the cluster, and when it has to ask for news."""

from __future__ import annotations

from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, NAMESPACES
from autograder.controlplane.client import Client, InformerFactory
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.component import Environment


def client_of(cluster: Cluster, *, knows_revision: bool = True) -> Client:
    revision = (lambda: cluster.store.revision) if knows_revision else None
    return Environment(cluster.handle, cluster.clock, 0, None, revision).client("system:kube-somebody")


def informers_of(client: Client) -> InformerFactory:
    informers = InformerFactory(client)
    informers.informer(CONFIGMAPS)
    informers.informer(NAMESPACES)
    return informers


def news(informers: InformerFactory) -> list[str]:
    """The names of what has changed, as a component takes it in."""
    names = [delta.object["metadata"]["name"] for informer in informers for delta in informer.sync()]
    informers.caught_up()
    return names


def write(cluster: Cluster, name: str) -> None:
    cluster.client().create(
        CONFIGMAPS, "default", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    )


def test_there_are_news_when_somebody_has_written() -> None:
    cluster = Cluster(nodes=[])
    informers = informers_of(client_of(cluster))
    assert informers.has_news() and "default" in news(informers)
    assert not informers.has_news()
    write(cluster, "colours")
    assert informers.has_news() and news(informers) == ["colours"]
    assert not informers.has_news()


def test_what_was_written_while_others_were_asked_is_news_too() -> None:
    cluster = Cluster(nodes=[])
    informers = informers_of(client_of(cluster))
    assert informers.has_news()
    write(cluster, "colours")
    news(informers)
    assert informers.has_news()


def test_whoever_could_not_ask_asks_again() -> None:
    cluster = Cluster(nodes=[])
    informers = informers_of(client_of(cluster))
    cluster.stop("kube-apiserver")
    assert informers.has_news() and news(informers) == []
    cluster.start("kube-apiserver")
    assert informers.has_news() and "default" in news(informers)


def test_where_nobody_tells_of_writes_there_may_always_be_news() -> None:
    cluster = Cluster(nodes=[])
    informers = informers_of(client_of(cluster, knows_revision=False))
    news(informers)
    assert informers.has_news() and news(informers) == []


def test_a_fork_has_news_of_its_own() -> None:
    cluster = Cluster(nodes=[])
    informers = informers_of(client_of(cluster))
    assert informers.has_news()
    news(informers)
    fork = cluster.fork()
    twin = informers.fork(client_of(fork))
    assert not twin.has_news()
    write(cluster, "here")
    write(fork, "there")
    assert informers.has_news() and news(informers) == ["here"]
    assert twin.has_news() and news(twin) == ["there"]
