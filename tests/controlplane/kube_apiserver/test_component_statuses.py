"""``kubectl get componentstatuses``: how the parts of the control plane are."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response
from autograder.controlplane.cluster import Cluster

PATH = "/api/v1/componentstatuses"
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


@pytest.fixture(scope="module")
def booted() -> Cluster:
    return Cluster()


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def ask(cluster: Cluster, path: str = PATH, **options: Any) -> Response:
    return cluster.handle(Request("GET", path, options.get("query", {}), options.get("headers", {}), b"", ADMIN))


def shown(cluster: Cluster) -> dict[str, str]:
    rows = ask(cluster, headers=TABLE).body["rows"]
    return {row["cells"][0]: row["cells"][1] for row in rows}


def test_all_are_well(cluster: Cluster) -> None:
    assert shown(cluster) == {"scheduler": "Healthy", "controller-manager": "Healthy", "etcd-0": "Healthy"}
    status = ask(cluster, f"{PATH}/scheduler").body
    assert status == {
        "kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": "scheduler"},
        "conditions": [{"type": "Healthy", "status": "True", "message": "ok"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("component", "name", "message"),
    [
        ("kube-scheduler", "scheduler", 'Get "https://127.0.0.1:10259/healthz": dial tcp 127.0.0.1:10259: connect: '),
        ("kube-controller-manager", "controller-manager", "127.0.0.1:10257: connect: connection refused"),
        ("etcd", "etcd-0", "127.0.0.1:2379"),
    ],
)
def test_one_that_is_stopped_is_not_well_until_it_is_started(
    cluster: Cluster, component: str, name: str, message: str
) -> None:
    cluster.stop(component)
    assert {one for one, health in shown(cluster).items() if health != "Healthy"} == {name}
    (condition,) = ask(cluster, f"{PATH}/{name}").body["conditions"]
    assert condition["status"] == "False"
    assert message in condition["message"]
    assert shown(cluster.fork())[name] == "Unhealthy"
    cluster.start(component)
    assert shown(cluster)[name] == "Healthy"


def test_the_kind_is_deprecated(cluster: Cluster) -> None:
    assert "v1 ComponentStatus is deprecated in v1.19+" in ask(cluster).warnings


def test_there_are_no_others(cluster: Cluster) -> None:
    answer = ask(cluster, f"{PATH}/kubelet")
    assert (answer.code, answer.body["message"]) == (404, 'componentstatus "kubelet" not found')


def test_they_can_be_selected_by_name(cluster: Cluster) -> None:
    found = ask(cluster, query={"fieldSelector": ["metadata.name=etcd-0"]}).body
    assert [one["metadata"]["name"] for one in found["items"]] == ["etcd-0"]
    assert ask(cluster, query={"labelSelector": ["a=b"]}).body["items"] == []
