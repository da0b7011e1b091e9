"""The embedded cluster behind the common interface."""

from __future__ import annotations

import pytest

from autograder.clusters import Capability, Cluster, NotSupportedHere, Object, need
from autograder.clusters.kinds import UnknownKind
from autograder.controlplane.apimachinery.errors import AlreadyExists, BadRequest, NotFound

SETTINGS: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"colour": "blue"},
}


def test_objects_go_where_they_say_or_else_where_the_caller_says(cluster: Cluster) -> None:
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dev"}})
    cluster.create(SETTINGS, "dev")
    cluster.create({**SETTINGS, "metadata": {"name": "own", "namespace": "dev"}}, "default")
    assert {obj["metadata"]["name"] for obj in cluster.list("ConfigMap", "dev")} >= {"settings", "own"}


def test_what_is_patched_and_deleted_is_so(cluster: Cluster) -> None:
    cluster.create(SETTINGS)
    cluster.patch("ConfigMap", "settings", {"data": {"colour": "red"}})
    assert cluster.get("ConfigMap", "settings")["data"] == {"colour": "red"}
    cluster.delete("ConfigMap", "settings")
    with pytest.raises(NotFound):
        cluster.get("ConfigMap", "settings")


def test_lists_are_narrowed_by_labels_and_fields(cluster: Cluster) -> None:
    for name in ("one", "two"):
        cluster.create({**SETTINGS, "metadata": {"name": name, "labels": {"is": name}}})
    assert [obj["metadata"]["name"] for obj in cluster.list("ConfigMap", labels="is=two")] == ["two"]
    assert [obj["metadata"]["name"] for obj in cluster.list("ConfigMap", fields="metadata.name=one")] == ["one"]


def test_a_fork_goes_its_own_way(cluster: Cluster) -> None:
    cluster.create(SETTINGS)
    fork = cluster.fork()
    fork.delete("ConfigMap", "settings")
    assert cluster.get("ConfigMap", "settings")["data"] == {"colour": "blue"}


def test_refusals_are_those_of_the_api_server(cluster: Cluster) -> None:
    cluster.create(SETTINGS)
    with pytest.raises(AlreadyExists):
        cluster.create(SETTINGS)
    with pytest.raises(BadRequest, match="unknown field"):
        cluster.create({**SETTINGS, "metadata": {"name": "odd"}, "dater": {}})


def test_kinds_that_nobody_serves_are_named(cluster: Cluster) -> None:
    with pytest.raises(UnknownKind, match="'Pot'"):
        cluster.create({"apiVersion": "v1", "kind": "Pot", "metadata": {"name": "x"}})
    with pytest.raises(UnknownKind, match="'Pot'"):
        cluster.list("Pot")


def test_waiting_takes_the_clusters_own_time(cluster: Cluster) -> None:
    asked = []
    assert not cluster.wait_until(lambda: bool(asked.append(1)), timeout=3600)
    assert asked
    assert cluster.wait_until(lambda: True, timeout=0)


def test_an_absent_capability_is_said(cluster: Cluster) -> None:
    need(cluster, Capability.FORK, Capability.CLOCK)
    missing = next(iter(set(Capability) - cluster.capabilities), None)
    if missing is not None:
        with pytest.raises(NotSupportedHere, match="embedded"):
            need(cluster, missing)
