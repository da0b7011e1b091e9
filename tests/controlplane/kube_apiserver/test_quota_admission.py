"""What quotas let in: whom they cover, what must be stated and known first, and what is charged."""

from __future__ import annotations

from typing import Any

import pytest
from asking import DEFAULT, Object, World

QUOTAS, PODS, CLAIMS = f"{DEFAULT}/resourcequotas", f"{DEFAULT}/pods", f"{DEFAULT}/persistentvolumeclaims"
MERGE = "application/merge-patch+json"


@pytest.fixture
def world() -> World:
    return World()


def quota(world: World, name: str, hard: Object, used: Object | None = None, **spec: Any) -> None:
    """A quota that its controller has seen, with what it has counted (nothing, if not given)."""
    world.create(QUOTAS, {"metadata": {"name": name}, "spec": {"hard": hard, **spec}})
    status = {"hard": hard, "used": dict.fromkeys(hard, "0") if used is None else used}
    assert world.ask("PATCH", f"{QUOTAS}/{name}/status", body={"status": status}, content_type=MERGE).code == 200


def pod(requests: Object | None = None, **spec: Any) -> Object:
    container: Object = {"name": "c", "image": "i", "resources": {"requests": requests or {}, "limits": requests or {}}}
    return {"metadata": {"generateName": "web-"}, "spec": {"containers": [container], **spec}}


def said(world: World, body: Object, path: str = PODS) -> str:
    """Why an object is not let in, without its name; empty if it is."""
    answer = world.ask("POST", path, body=body)
    return "" if answer.code == 201 else str(answer.body["message"]).partition(" is forbidden: ")[2]


def test_a_quota_that_its_controller_has_not_seen_yet_limits_nothing(world: World) -> None:
    world.create(QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}})
    assert said(world, pod()) == ""


def test_a_quota_that_was_changed_limits_what_it_did_until_its_controller_has_seen_it(world: World) -> None:
    quota(world, "q", {"configmaps": "1"})
    world.ask("PATCH", f"{QUOTAS}/q", body={"spec": {"hard": {"configmaps": None, "pods": "0"}}}, content_type=MERGE)
    assert said(world, pod()) == ""


def test_nothing_is_charged_to_a_quota_whose_usage_is_not_known(world: World) -> None:
    quota(world, "q", {"pods": "5", "requests.cpu": "5"}, {"pods": "0"})
    assert said(world, pod({"cpu": "1"})) == "status unknown for quota: q, resources: pods,requests.cpu"


def test_every_quota_is_asked_what_must_be_stated_before_any_is_found_to_be_full(world: World) -> None:
    quota(world, "a", {"pods": "0"})
    quota(world, "b", {"limits.memory": "1Gi"})
    assert said(world, pod()) == "failed quota: b: must specify limits.memory for: c"
    assert said(world, pod({"memory": "1Mi"})) == "exceeded quota: a, requested: pods=1, used: pods=0, limited: pods=0"


def test_containers_of_a_pod_that_states_resources_as_a_whole_need_not_state_any(world: World) -> None:
    quota(world, "q", {"requests.cpu": "5", "requests.memory": "1Gi"})
    assert said(world, pod(resources={"requests": {"cpu": "1"}})) == ""


@pytest.mark.parametrize("name", ["hugepages-2Mi", "requests.hugepages-2Mi"])
def test_huge_pages_count_by_both_of_their_names(world: World, name: str) -> None:
    quota(world, "q", {name: "2Mi"})
    assert f"requested: {name}=4Mi" in said(world, pod({"hugepages-2Mi": "4Mi", "cpu": "1"}))


def test_a_pod_that_comes_to_have_an_end_is_charged_to_the_quota_of_those(world: World) -> None:
    quota(world, "q", {"pods": "0"}, scopes=["Terminating"])
    world.create(PODS, {**pod(), "metadata": {"name": "web"}})
    change = {"spec": {"activeDeadlineSeconds": 10}}
    answer = world.ask("PATCH", f"{PODS}/web", body=change, content_type=MERGE)
    assert answer.code == 403
    assert "exceeded quota: q" in answer.body["message"]


@pytest.mark.parametrize(("name", "limited"), [("gold", True), ("silver", False), ("", False)])
def test_claims_can_be_limited_by_their_attributes_class(world: World, name: str, limited: bool) -> None:
    selector = {"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["gold"]}
    quota(world, "q", {"persistentvolumeclaims": "0"}, scopeSelector={"matchExpressions": [selector]})
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    if name:
        spec["volumeAttributesClassName"] = name
    assert said(world, {"metadata": {"name": "data"}, "spec": spec}, CLAIMS).startswith("exceeded quota") is limited


def test_what_is_charged_is_written_by_the_api_server_itself(world: World) -> None:
    quota(world, "q", {"pods": "5"})
    world.create(PODS, pod())
    stored = world.ask("GET", f"{QUOTAS}/q").body
    assert stored["status"]["used"] == {"pods": "1"}
    (entry,) = [one for one in stored["metadata"]["managedFields"] if one["manager"] == "kube-apiserver"]
    assert (entry["subresource"], entry["fieldsV1"]) == ("status", {"f:status": {"f:used": {"f:pods": {}}}})
