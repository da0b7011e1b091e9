"""Pods that commands ask for are bounded, in whatever way they ask for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.clusters import open_cluster
from autograder.clusters.embedded import EmbeddedCluster
from autograder.controlplane.apimachinery.wire import ADMIN, Request
from autograder.exercises.bounding import Bounded
from autograder.exercises.command_lines import read
from autograder.exercises.terminal import Terminal

APPS = "/apis/apps/v1/namespaces/default/deployments"


def deployment(name: str, replicas: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def bounded() -> Bounded:
    cluster = open_cluster("embedded")
    assert isinstance(cluster, EmbeddedCluster)
    return Bounded(cluster.control_plane, 100)


def ask(
    bounded: Bounded, method: str, path: str, body: Any = None, media: str = "application/json", **query: str
) -> int:
    content = json.dumps(body).encode() if body is not None else b""
    parameters = {name: [value] for name, value in query.items()}
    return bounded.handle(Request(method, path, parameters, {"content-type": media}, content, ADMIN)).code


def test_what_is_within_the_bound_is_done(bounded: Bounded) -> None:
    assert ask(bounded, "POST", APPS, deployment("web", 100)) == 201


@pytest.mark.parametrize("replicas", [101, 10**12, 1e6])
def test_more_than_that_is_refused(bounded: Bounded, replicas: float) -> None:
    assert ask(bounded, "POST", APPS, deployment("web", replicas)) == 403


@pytest.mark.parametrize(
    ("path", "body", "media"),
    [
        (f"{APPS}/web", {"spec": {"replicas": 101}}, "application/merge-patch+json"),
        (f"{APPS}/web", {"spec": {"replicas": 101}}, "application/strategic-merge-patch+json"),
        (f"{APPS}/web", [{"op": "replace", "path": "/spec/replicas", "value": 101}], "application/json-patch+json"),
        (f"{APPS}/web/scale", {"spec": {"replicas": 101}}, "application/merge-patch+json"),
        (f"{APPS}/web", deployment("web", 101), "application/apply-patch+yaml"),
    ],
)
def test_ways_to_ask_for_more_of_what_is_there(bounded: Bounded, path: str, body: Any, media: str) -> None:
    assert ask(bounded, "POST", APPS, deployment("web", 1)) == 201
    assert ask(bounded, "PATCH", path, body, media, fieldManager="test") == 403
    assert ask(bounded, "PATCH", f"{APPS}/web", {"spec": {"replicas": 99}}, "application/merge-patch+json") == 200


def test_a_little_at_a_time(bounded: Bounded) -> None:
    assert ask(bounded, "POST", APPS, deployment("one", 60)) == 201
    assert ask(bounded, "POST", APPS, deployment("two", 60)) == 403
    assert ask(bounded, "POST", APPS, deployment("two", 60), dryRun="All") == 403
    assert ask(bounded, "PATCH", f"{APPS}/one/scale", {"spec": {"replicas": 0}}, "application/merge-patch+json") == 200
    assert ask(bounded, "POST", APPS, deployment("two", 60)) == 201
    assert ask(bounded, "DELETE", f"{APPS}/two") == 200
    assert ask(bounded, "POST", APPS, deployment("three", 100)) == 201


def test_the_real_kubectl_asks_in_ways_of_its_own() -> None:
    """It makes Deployments in protobuf, and scales by patches."""
    cluster = open_cluster("embedded")
    assert isinstance(cluster, EmbeddedCluster)
    text = (
        "kubectl create deployment web --image=nginx:1.27 --replicas=101\n"
        "kubectl create deployment api --image=nginx:1.27 --replicas=2\n"
        "kubectl scale deployment api --replicas=101\n"
    )
    lines, problems = read(text, "answer.txt")
    assert not problems
    runs = Terminal().run(cluster, lines, {}, namespace="default", source="answer.txt", pods=100, seconds=60)
    first, second, third = list(runs)
    assert (first.code, second.code, third.code) == (1, 0, 1)
    assert "101 replicas are asked for, and at most 100 are run here" in first.err
    assert "103 replicas" not in third.err  # it is the same Deployment
    assert "101 replicas" in third.err


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b"k8s\x00\xff"])
@pytest.mark.parametrize("media", ["application/json", "application/vnd.kubernetes.protobuf", "application/yaml"])
def test_what_cannot_be_read_is_for_the_server_to_refuse(bounded: Bounded, content: bytes, media: str) -> None:
    assert 400 <= bounded.handle(Request("POST", APPS, {}, {"content-type": media}, content, ADMIN)).code < 500
