"""The number of replicas of a workload, in the form that all of them share."""

from __future__ import annotations

import pytest
from asking import Object, World

from autograder.controlplane.apimachinery.wire import Response

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SCALE = f"{DEPLOYMENTS}/web/scale"


@pytest.fixture
def world() -> World:
    world = World()
    template = {
        "metadata": {"labels": {"app": "web", "tier": "front"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    expressions = [{"key": "tier", "operator": "In", "values": ["front"]}, {"key": "old", "operator": "DoesNotExist"}]
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": expressions}
    world.create(DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": {"selector": selector, "template": template}})
    return world


def test_the_selector_is_told_as_it_was_written(world: World) -> None:
    assert world.ask("GET", SCALE).body["status"]["selector"] == "app=web,!old,tier in (front)"


@pytest.mark.parametrize(
    ("metadata", "code", "why"),
    [
        ({"name": "web"}, 200, ""),
        ({}, 400, "the name of the object (web based on URL) was undeterminable: name must be provided"),
        ({"name": "api"}, 400, "the name of the object (api) does not match the name on the URL (web)"),
        (
            {"name": "web", "namespace": "dev"}, 400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
    ],
)  # fmt: skip
def test_a_scale_is_of_the_workload_of_its_path(world: World, metadata: Object, code: int, why: str) -> None:
    answer = world.ask("PUT", SCALE, body={"metadata": metadata, "spec": {"replicas": 3}})
    assert (answer.code, answer.body.get("message", "")) == (code, why)


@pytest.mark.parametrize(("query", "key"), [("", "/registry/deployments"), ("?dryRun=All", "/deployments")])
def test_a_scale_of_another_uid_conflicts(world: World, query: str, key: str) -> None:
    uid = world.ask("GET", SCALE).body["metadata"]["uid"]
    answer = world.ask("PUT", SCALE + query, body={"metadata": {"name": "web", "uid": "x"}, "spec": {"replicas": 3}})
    assert answer.code == 409
    assert answer.body["message"] == (
        'Operation cannot be fulfilled on deployments.apps "web": StorageError: invalid object, Code: 4, '
        f"Key: {key}/default/web, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: "
        f"UID in precondition: x, UID in object meta: {uid}"
    )


def test_who_scales_manages_the_replicas_apart_from_who_applied_them_and_without_a_time(world: World) -> None:
    def applied(replicas: int, force: str = "false") -> Response:
        config = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": replicas}}
        headers = {"content_type": "application/apply-patch+yaml"}
        return world.ask("PATCH", f"{DEPLOYMENTS}/web?fieldManager=kubectl&force={force}", body=config, **headers)

    assert applied(2, force="true").code == 200
    scale = {"spec": {"replicas": 5}}
    patch = {"content_type": "application/merge-patch+json", "user_agent": "kubectl/v1.37.1"}
    assert world.ask("PATCH", SCALE, body=scale, **patch).code == 200
    managers = world.ask("GET", f"{DEPLOYMENTS}/web").body["metadata"]["managedFields"]
    (scaling,) = [one for one in managers if one.get("subresource") == "scale"]
    assert scaling == {
        "manager": "kubectl", "operation": "Update", "subresource": "scale", "apiVersion": "apps/v1",
        "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}},
    }  # fmt: skip
    refused = applied(2)
    assert refused.code == 409
    assert refused.body["message"] == (
        'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas'
    )
