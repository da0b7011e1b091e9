"""Logs of and commands in a pod whose node does not answer: the API server says what it tried, and why it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autograder.controlplane.apimachinery.scheme import NODES, PODS
from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response
from autograder.controlplane.cluster import Cluster

POD = "/api/v1/namespaces/default/pods/web"
REFUSED = "dial tcp 10.250.0.11:10250: connect: connection refused"
NO_ROUTE = "dial tcp 10.250.0.11:10250: connect: no route to host"


@pytest.fixture(scope="module")
def booted() -> Cluster:
    cluster = Cluster()
    spec = {"nodeName": "worker-1", "containers": [{"name": "c", "image": "nginx:1.27"}]}
    manifest: Any = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    cluster.client().create(PODS, "default", manifest)
    cluster.advance(3)
    return cluster


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def ask(cluster: Cluster, subresource: str, **query: str) -> Response:
    values = {name: [value] for name, value in query.items()}
    return cluster.handle(Request("GET", f"{POD}/{subresource}", values, {}, b"", ADMIN))


FAILURES: list[tuple[Callable[[Cluster], None], str]] = [
    (lambda cluster: cluster.stop("kubelet"), REFUSED),
    (lambda cluster: cluster.stop_kubelet("worker-1"), REFUSED),
    (lambda cluster: cluster.power_off("worker-1"), NO_ROUTE),
]


@pytest.mark.parametrize(("fail", "why"), FAILURES, ids=["all kubelets", "one kubelet", "no power"])
def test_it_is_said_why_nobody_answers(cluster: Cluster, fail: Callable[[Cluster], None], why: str) -> None:
    assert ask(cluster, "log").code == 200
    fail(cluster)
    answers = {
        f'Get "https://10.250.0.11:10250/containerLogs/default/web/c": {why}': ask(cluster, "log"),
        f'Get "https://10.250.0.11:10250/containerLogs/default/web/c?tailLines=5": {why}': ask(
            cluster, "log", tailLines="5"
        ),
        f"error dialing backend: {why}": ask(cluster, "exec", command="ls"),
    }
    for message, answer in answers.items():
        assert (answer.code, answer.body["status"], answer.body["message"]) == (500, "Failure", message)
        assert "reason" not in answer.body
    assert ask(cluster, "attach").body["message"] == f"error dialing backend: {why}"


def test_a_node_that_is_gone_is_not_found(cluster: Cluster) -> None:
    cluster.stop("kube-controller-manager")
    cluster.client().delete(NODES, "", "worker-1")
    answer = ask(cluster, "log")
    assert (answer.code, answer.body["message"]) == (404, 'pods "worker-1" not found')


def test_a_pod_without_a_node_has_an_empty_log_and_runs_nothing(cluster: Cluster) -> None:
    cluster.stop("kube-scheduler")
    spec = {"containers": [{"name": "c", "image": "nginx:1.27"}]}
    manifest: Any = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "waits"}, "spec": spec}
    cluster.client().create(PODS, "default", manifest)
    path = POD.replace("web", "waits")
    log = cluster.handle(Request("GET", f"{path}/log", {}, {}, b"", ADMIN))
    assert (log.code, log.body) == (204, "")
    command = cluster.handle(Request("GET", f"{path}/exec", {"command": ["ls"]}, {}, b"", ADMIN))
    assert (command.code, command.body["message"]) == (400, "pod waits does not have a host assigned")
