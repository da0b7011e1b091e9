"""HorizontalPodAutoscalers of ``autoscaling/v1`` are those of ``autoscaling/v2`` in older words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking import Object, World

OLD = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
NEW = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
MERGE = "application/merge-patch+json"
ALPHA = "autoscaling.alpha.kubernetes.io/"
TARGET: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


@pytest.fixture
def world() -> World:
    return World()


def autoscaler(**spec: Any) -> Object:
    return {"metadata": {"name": "web"}, "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec}}


def cpu(percent: int) -> Object:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


@pytest.mark.parametrize(("given", "percent"), [({"targetCPUUtilizationPercentage": 50}, 50), ({}, 80)])
def test_the_number_for_the_cpu_is_a_metric(world: World, given: Object, percent: int) -> None:
    created = world.create(OLD, autoscaler(**given))
    assert (created["apiVersion"], created["spec"]["minReplicas"]) == ("autoscaling/v1", 1)
    assert created["spec"]["targetCPUUtilizationPercentage"] == percent
    newer = world.ask("GET", f"{NEW}/web").body
    assert (newer["apiVersion"], newer["spec"]["metrics"]) == ("autoscaling/v2", [cpu(percent)])


def test_what_the_older_version_has_no_fields_for_stands_in_annotations(world: World) -> None:
    memory = {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
    }
    behavior = {"scaleDown": {"selectPolicy": "Disabled"}}
    world.create(NEW, autoscaler(metrics=[memory, cpu(70)], behavior=behavior))
    older = world.ask("GET", f"{OLD}/web").body
    annotations = {name: json.loads(text) for name, text in older["metadata"]["annotations"].items()}
    assert older["spec"]["targetCPUUtilizationPercentage"] == 70
    assert annotations[f"{ALPHA}metrics"] == [
        {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "1Gi"}}
    ]
    assert annotations[f"{ALPHA}behavior"]["ScaleDown"]["SelectPolicy"] == "Disabled"


def test_nothing_is_lost_when_an_older_client_writes(world: World) -> None:
    requests = {
        "type": "Object",
        "object": {
            "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "web"},
            "metric": {"name": "requests", "selector": {"matchLabels": {"a": "b"}}},
            "target": {"type": "Value", "value": "10"},
        },
    }
    queue = {
        "type": "External",
        "external": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "3"}},
    }
    behavior = {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}
    before = world.create(NEW, autoscaler(metrics=[requests, queue, cpu(70)], behavior=behavior))
    answer = world.ask("PATCH", f"{OLD}/web", body={"spec": {"maxReplicas": 9}}, content_type=MERGE)
    assert (answer.code, answer.body["spec"]["maxReplicas"]) == (200, 9)
    after = world.ask("GET", f"{NEW}/web").body
    assert after["spec"] == {**before["spec"], "maxReplicas": 9}
    assert "annotations" not in after["metadata"]


def test_errors_speak_of_the_fields_of_the_newer_version(world: World) -> None:
    answer = world.ask("POST", OLD, body=autoscaler(minReplicas=7, targetCPUUtilizationPercentage=-1))
    assert answer.code == 422
    assert [cause["field"] for cause in answer.body["details"]["causes"]] == [
        "spec.maxReplicas",
        "spec.metrics[0].resource.target.averageUtilization",
    ]


def test_both_versions_are_discovered_and_the_newer_one_is_preferred(world: World) -> None:
    group = world.ask("GET", "/apis/autoscaling").body
    assert [entry["version"] for entry in group["versions"]] == ["v2", "v1"]
    assert group["preferredVersion"]["version"] == "v2"
    resources = world.ask("GET", "/apis/autoscaling/v1").body["resources"]
    assert [entry["name"] for entry in resources] == ["horizontalpodautoscalers", "horizontalpodautoscalers/status"]


def test_lists_and_watches_are_in_the_version_asked_for(world: World) -> None:
    world.create(NEW, autoscaler(metrics=[cpu(60)]))
    listed = world.ask("GET", OLD).body
    assert listed["apiVersion"] == "autoscaling/v1"
    assert [one["spec"]["targetCPUUtilizationPercentage"] for one in listed["items"]] == [60]
    stream = world.ask("GET", f"{OLD}?watch=true").stream
    assert stream is not None
    assert [(event.type, event.object["apiVersion"]) for event in stream.poll()] == [("ADDED", "autoscaling/v1")]
