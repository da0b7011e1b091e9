"""The trace of a request: what happened to it on its way through the API server, and what it cost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.controlplane.apimachinery.tracing import RequestTrace, changes
from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response, User
from autograder.controlplane.cluster import Cluster

PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture(scope="module")
def booted() -> Cluster:
    return Cluster()


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def pod(name: str = "web", **spec: Any) -> dict[str, Any]:
    containers = [{"name": "nginx", "image": "nginx"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def post(body: Any, path: str = PODS, user: User | None = ADMIN) -> Request:
    data = json.dumps(body).encode()
    return Request("POST", path, {}, {"content-type": "application/json"}, data, user)


def steps(trace: RequestTrace) -> dict[str, str]:
    return {step.name: step.outcome for step in trace.steps}


def changed(trace: RequestTrace, name: str) -> tuple[str, ...]:
    return next(step.changed for step in trace.steps if step.name == name)


def test_a_create_passes_every_step_in_the_order_of_a_real_server(cluster: Cluster) -> None:
    response, trace = cluster.trace(post(pod()))
    assert response.code == 201
    names = [step.name for step in trace.steps]
    assert names[:4] == ["authentication", "authorization", "decoding", "defaulting"]
    assert names[-2:] == ["etcd", "answer"]
    mutating = [name for name in names if name.startswith("mutating admission")]
    validating = [name for name in names if name.startswith("validating admission")]
    assert mutating[0] == "mutating admission by NamespaceLifecycle"
    assert names.index(mutating[-1]) < names.index("validation") < names.index(validating[0])
    assert [name.rpartition(" ")[2] for name in mutating] == [
        "NamespaceLifecycle", "LimitRanger", "ServiceAccount", "NodeRestriction", "TaintNodesByCondition", "Priority",
        "DefaultTolerationSeconds", "DefaultStorageClass", "StorageObjectInUseProtection", "RuntimeClass",
        "DefaultIngressClass", "PodTopologyLabels",
    ]  # fmt: skip
    assert [name.rpartition(" ")[2] for name in validating] == [
        "LimitRanger", "ServiceAccount", "PodSecurity", "Priority", "RuntimeClass", "ResourceQuota",
    ]  # fmt: skip
    revision = response.body["metadata"]["resourceVersion"]
    said = steps(trace)
    assert said["authentication"] == "admin, in system:masters, system:authenticated"
    assert said["decoding"] == "Pod in v1 from application/json"
    assert said["etcd"] == f"stored /registry/pods/default/web at revision {revision}"
    assert said["answer"] == "201"


def test_it_names_the_fields_that_each_step_has_set(cluster: Cluster) -> None:
    _, trace = cluster.trace(post(pod()))
    assert "spec.restartPolicy" in changed(trace, "defaulting")
    assert "spec.containers[0].imagePullPolicy" in changed(trace, "defaulting")
    assert "spec.serviceAccountName" in changed(trace, "mutating admission by ServiceAccount")
    assert changed(trace, "mutating admission by DefaultTolerationSeconds") == ("spec.tolerations",)
    assert changed(trace, "mutating admission by NamespaceLifecycle") == ()
    assert trace.cost.fields_set == sum(len(step.changed) for step in trace.steps)


@pytest.mark.parametrize(
    ("request_", "step", "code"),
    [
        (post(pod(), user=User("jane")), "authorization", 403),
        (post({**pod(), "spec": {"containers": "none"}}), "decoding", 400),
        (post(pod(), "/api/v1/namespaces/nowhere/pods"), "mutating admission by NamespaceLifecycle", 404),
        (post(pod(restartPolicy="Sometimes")), "validation", 422),
        (Request("GET", f"{PODS}/nobody", user=ADMIN), "handling", 404),
    ],
)
def test_it_says_at_which_step_a_request_was_refused(cluster: Cluster, request_: Request, step: str, code: int) -> None:
    response, trace = cluster.trace(request_)
    refused = trace.steps[-2]
    assert (response.code, refused.name) == (code, step)
    assert refused.outcome == f"refused: {response.body['message']}"
    assert trace.cost.writes == 0


def test_a_deletion_is_admitted_by_those_who_look_at_deletions(cluster: Cluster) -> None:
    response, trace = cluster.trace(Request("DELETE", "/api/v1/namespaces/default", user=ADMIN))
    assert response.body["message"] == 'namespaces "default" is forbidden: this namespace may not be deleted'
    assert trace.steps[-2].name == "mutating admission by NamespaceLifecycle"


def test_a_token_is_traced_to_the_account_behind_it(cluster: Cluster) -> None:
    _, trace = cluster.trace(Request("GET", PODS, headers={"authorization": "Bearer wrong"}))
    assert [str(step) for step in trace.steps] == ["authentication: refused: Unauthorized", "answer: 401"]


def test_it_counts_what_a_request_costs(cluster: Cluster) -> None:
    request = post(pod())
    response, trace = cluster.trace(request)
    cost = trace.cost
    assert cost.bytes_received == len(request.body)
    assert cost.bytes_stored == len(json.dumps(response.body, separators=(",", ":")))
    assert cost.writes == 1 and 0 < cost.objects_read <= cost.reads
    _, listed = cluster.trace(Request("GET", "/api/v1/pods", user=ADMIN))
    _, one = cluster.trace(Request("GET", f"{PODS}/web", user=ADMIN))
    assert (one.cost.reads, one.cost.objects_read) == (1, 1)
    assert listed.cost.objects_read >= 5 and listed.cost.bytes_answered > one.cost.bytes_answered


def test_the_same_request_costs_the_same_and_a_trace_changes_nothing(cluster: Cluster) -> None:
    def answered(cluster: Cluster, request: Request) -> Response:
        return cluster.handle(request)

    twin, plain = cluster.fork(), cluster.fork()
    response, trace = cluster.trace(post(pod()))
    assert twin.trace(post(pod())) == (response, trace)
    assert answered(plain, post(pod())) == response
    assert cluster.store is not None and cluster.store.revision == plain.store.revision


def test_changes_are_named_as_high_up_as_they_begin() -> None:
    before = {"a": 1, "b": {"c": [1, {"d": 2}]}, "gone": 0}
    after = {"a": 1, "b": {"c": [1, {"d": 3}]}, "new": {"x": {"y": 1}}}
    assert changes(before, after) == ["b.c[1].d", "gone", "new"]
