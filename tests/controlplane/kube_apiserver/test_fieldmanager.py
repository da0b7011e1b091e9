"""Server-side apply: managers own what they applied, meet over what they want otherwise, and let go of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking import DEFAULT, World

from autograder.controlplane.apimachinery.errors import BadRequest, Conflict
from autograder.controlplane.apimachinery.scheme import DEPLOYMENTS
from autograder.controlplane.kube_apiserver import fieldmanager

NOW = "2026-01-01T09:00:00Z"


def config(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def containers(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"template": {"spec": {"containers": list(entries)}}}


def apply(live: Any, wanted: Any, manager: str = "alice", *, force: bool = False) -> Any:
    return fieldmanager.apply(DEPLOYMENTS, live, wanted, manager=manager, force=force, subresource="", now=NOW)


def owners(obj: Any) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]}


def test_a_manager_owns_the_leaves_it_applied_and_the_entries_of_its_lists() -> None:
    web = apply(None, config(replicas=3, **containers({"name": "nginx", "image": "nginx"})))
    assert owners(web) == {
        "alice": {
            "f:spec": {
                "f:replicas": {},
                "f:template": {
                    "f:spec": {"f:containers": {'k:{"name":"nginx"}': {".": {}, "f:image": {}, "f:name": {}}}}
                },
            }
        }
    }


def test_changing_what_another_manager_applied_is_a_conflict() -> None:
    web = apply(None, config(replicas=3))
    with pytest.raises(Conflict) as conflict:
        apply(web, config(replicas=5), "bob")
    assert conflict.value.message == 'Apply failed with 1 conflict: conflict with "alice": .spec.replicas'
    assert conflict.value.details == {
        "causes": [
            {"reason": "FieldManagerConflict", "message": 'conflict with "alice"', "field": ".spec.replicas"},
        ]
    }


def test_wanting_the_same_value_shares_the_field_and_force_takes_it() -> None:
    web = apply(apply(None, config(replicas=3)), config(replicas=3), "bob")
    assert set(owners(web)) == {"alice", "bob"}
    forced = apply(web, config(replicas=5), "bob", force=True)
    assert forced["spec"]["replicas"] == 5
    assert set(owners(forced)) == {"bob"}


def test_what_a_manager_no_longer_applies_goes_unless_somebody_else_owns_it() -> None:
    both = containers({"name": "nginx", "image": "nginx"}, {"name": "side", "image": "busybox"})
    web = apply(None, config(replicas=3, **both))
    web = apply(web, config(replicas=3), "bob")
    less = apply(web, config(**containers({"name": "nginx", "image": "nginx"})))
    assert [one["name"] for one in less["spec"]["template"]["spec"]["containers"]] == ["nginx"]
    assert less["spec"]["replicas"] == 3


def test_an_ordinary_update_takes_the_fields_it_changes() -> None:
    web = apply(None, config(replicas=3, paused=True))
    new = {**web, "metadata": dict(web["metadata"]), "spec": {**web["spec"], "replicas": 9}}
    fieldmanager.track_update(DEPLOYMENTS, new, web, manager="kubectl", subresource="", now=NOW)
    assert owners(new) == {"alice": {"f:spec": {"f:paused": {}}}, "kubectl": {"f:spec": {"f:replicas": {}}}}
    with pytest.raises(Conflict, match=r'conflict with "kubectl" using apps/v1: \.spec\.replicas'):
        apply(new, config(replicas=3, paused=True))


def test_the_entry_of_a_list_keeps_its_place() -> None:
    live = apply(None, config(**containers({"name": "a", "image": "x"}, {"name": "b", "image": "x"})))
    changed = apply(live, config(**containers({"name": "b", "image": "y"})), "bob", force=True)
    entries = changed["spec"]["template"]["spec"]["containers"]
    assert [(one["name"], one["image"]) for one in entries] == [("a", "x"), ("b", "y")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "Pod", "apiVersion": "v1"}, "invalid object type: /v1, Kind=Pod"),
        ({"metadata": {"name": "web", "managedFields": []}}, "metadata.managedFields must be nil"),
    ],
)
def test_a_configuration_of_something_else_is_a_bad_request(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        apply(None, {**config(replicas=1), **change})
    assert refused.value.message == message


def update(old: Any, stated: Any, **metadata: Any) -> Any:
    """An object after an update that states managers."""
    new = {**old, "metadata": {**old["metadata"], "managedFields": stated, **metadata}}
    fieldmanager.track_update(DEPLOYMENTS, new, old, manager="kubectl", subresource="", now=NOW)
    return new


def test_an_update_may_state_the_managers_as_kubectl_does_when_it_goes_over_to_server_side_apply() -> None:
    web = apply(None, config(replicas=3))
    (entry,) = web["metadata"]["managedFields"]
    assert set(owners(update(web, [{**entry, "manager": "bob"}]))) == {"bob"}


def test_an_update_may_have_all_managers_forgotten() -> None:
    web = apply(None, config(replicas=3))
    assert "managedFields" not in update(web, [{}])["metadata"]
    assert set(owners(update(web, [{}], labels={"a": "b"}))) == {"kubectl"}


@pytest.mark.parametrize(
    "stated",
    [
        None,
        [{"manager": "bob"}],
        [{"manager": "bob", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": 1}}],
        [{"manager": "bob", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": {"k:no": {}}}],
        [{"manager": "bob", "operation": "Apply", "fieldsType": "FieldsV2", "fieldsV1": {}}],
    ],
)
def test_managers_that_cannot_be_read_are_those_of_before(stated: Any) -> None:
    assert set(owners(update(apply(None, config(replicas=3)), stated))) == {"alice"}


def test_who_creates_an_object_owns_what_is_not_in_every_object_of_its_kind() -> None:
    web: dict[str, Any] = {
        "metadata": {"name": "web"},
        "spec": {"replicas": 3, "template": {"metadata": {}, "spec": {}}},
    }
    fieldmanager.track_update(DEPLOYMENTS, web, None, manager="kubectl", subresource="", now=NOW)
    assert owners(web) == {"kubectl": {"f:spec": {"f:replicas": {}}}}


def test_who_applies_what_stands_there_already_owns_it_since_no_time() -> None:
    web = apply(None, config(replicas=3))
    shared = apply(web, config(replicas=3), "bob")
    assert {entry["manager"]: entry.get("time") for entry in shared["metadata"]["managedFields"]} == {
        "alice": NOW,
        "bob": None,
    }


def test_what_stands_within_something_optional_is_not_in_every_object() -> None:
    world = World()
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    body = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "template": template}}
    controller = world.create(f"{DEFAULT}/replicationcontrollers?fieldManager=me", body)
    pod = world.create(f"{DEFAULT}/pods?fieldManager=me", {"metadata": {"name": "web"}, "spec": template["spec"]})
    assert "." in owners(controller)["me"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert "." not in owners(pod)["me"]["f:spec"]["f:containers"]


def test_an_entry_that_is_written_as_a_whole_is_owned_as_a_whole() -> None:
    world = World()
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    body = {"metadata": {"name": "web", "ownerReferences": [owner]}}
    made = world.create(f"{DEFAULT}/configmaps?fieldManager=me", body)
    assert owners(made)["me"]["f:metadata"]["f:ownerReferences"] == {".": {}, 'k:{"uid":"u"}': {}}


def test_nobody_loses_what_a_write_of_the_status_puts_back() -> None:
    world = World()
    path = f"{DEFAULT}/resourcequotas"
    world.create(f"{path}?fieldManager=me", {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}})
    merge = "application/merge-patch+json"
    answer = world.ask("PATCH", f"{path}/few/status?fieldManager=other", body={"spec": None}, content_type=merge)
    assert owners(answer.body) == {"me": {"f:spec": {"f:hard": {".": {}, "f:pods": {}}}}}


def test_an_object_that_nobody_manages_stays_so_until_somebody_applies() -> None:
    orphan: dict[str, Any] = {"metadata": {"name": "web"}, "spec": {"replicas": 3, "paused": True}}
    new = {**orphan, "metadata": dict(orphan["metadata"]), "spec": {"replicas": 9, "paused": True}}
    fieldmanager.track_update(DEPLOYMENTS, new, orphan, manager="kubectl", subresource="", now=NOW)
    assert "managedFields" not in new["metadata"]
    with pytest.raises(Conflict, match='conflict with "before-first-apply"'):
        apply(new, config(replicas=5))
    assert owners(apply(new, config(replicas=5), force=True)) == {
        "alice": {"f:spec": {"f:replicas": {}}},
        "before-first-apply": {"f:spec": {"f:paused": {}}},
    }


def test_a_status_that_a_client_writes_is_his_under_the_name_of_his_program() -> None:
    world = World()
    path = "/api/v1/namespaces/default/resourcequotas"
    world.create(path, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}})
    body = {"metadata": {"name": "few"}, "status": {"hard": {"pods": "1"}, "used": {"pods": "0"}}}
    answer = world.ask("PUT", f"{path}/few/status", body=body, user_agent="mytool/1.0 (linux)")
    entry = next(one for one in answer.body["metadata"]["managedFields"] if one["manager"] == "mytool")
    assert (entry["operation"], entry["subresource"]) == ("Update", "status")
    assert entry["fieldsV1"] == {
        "f:status": {"f:hard": {".": {}, "f:pods": {}}, "f:used": {".": {}, "f:pods": {}}},
    }


def test_metadata_written_through_the_status_is_managed_there_but_what_that_puts_back_is_not() -> None:
    world = World()
    for path, labels_managed in (
        (f"{DEFAULT}/pods/web", True),
        ("/apis/apps/v1/namespaces/default/deployments/web", False),
    ):
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
        whole = {"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}}
        body = whole if "deployments" in path else template
        world.create(path.rpartition("/")[0], {**body, "metadata": {"name": "web"}})
        patch = {"metadata": {"annotations": {"a": "b"}, "labels": {"c": "d"}}, "status": {"observedGeneration": 1}}
        merge = "application/merge-patch+json"
        answer = world.ask("PATCH", f"{path}/status?fieldManager=kubelet", body=patch, content_type=merge)
        [entry] = [one for one in answer.body["metadata"]["managedFields"] if one["manager"] == "kubelet"]
        assert entry["subresource"] == "status"
        assert "f:annotations" in entry["fieldsV1"]["f:metadata"]
        assert ("f:labels" in entry["fieldsV1"]["f:metadata"]) is labels_managed


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def applied_by_client(**spec: Any) -> dict[str, Any]:
    """What ``kubectl apply`` leaves, of which another manager has everything in hand."""
    text = json.dumps(config(**spec))
    metadata = {"name": "web", "annotations": {LAST_APPLIED: text}}
    return apply(None, {**config(**spec), "metadata": metadata}, "kubectl-client-side-apply")


def test_kubectl_may_change_from_the_server_what_it_applied_from_the_client() -> None:
    web = applied_by_client(replicas=3)
    assert apply(web, config(replicas=5), "kubectl")["spec"]["replicas"] == 5
    with pytest.raises(Conflict):
        apply(web, config(replicas=5), "alice")


def test_kubectl_may_not_change_what_somebody_else_has_written_since() -> None:
    web = apply(applied_by_client(replicas=3), config(replicas=4), "bob", force=True)
    with pytest.raises(Conflict, match=r'conflict with "bob": \.spec\.replicas'):
        apply(web, config(replicas=5), "kubectl")


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[]", "null", '{"spec": [1]}'])
def test_an_annotation_that_is_no_configuration_allows_nothing(text: str) -> None:
    web = applied_by_client(replicas=3)
    web["metadata"]["annotations"][LAST_APPLIED] = text
    with pytest.raises(Conflict):
        apply(web, config(replicas=5), "kubectl")


def test_what_kubectl_applies_from_the_server_goes_into_the_annotation() -> None:
    web = applied_by_client(replicas=3)
    wanted = {**config(replicas=3, paused=True), "metadata": {"name": "web", "annotations": {"note": "a<b"}}}
    left = apply(web, wanted, "kubectl")["metadata"]["annotations"]
    assert left[LAST_APPLIED] == (
        '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{"note":"a\\u003cb"},"name":"web"},'
        '"spec":{"paused":true,"replicas":3}}\n'
    )
    assert apply(web, wanted, "alice")["metadata"]["annotations"][LAST_APPLIED] == json.dumps(config(replicas=3))


def test_there_is_no_annotation_for_what_was_never_applied_from_the_client() -> None:
    assert "annotations" not in apply(None, config(replicas=3), "kubectl")["metadata"]


@pytest.mark.parametrize("nobody", [[], [{}]])
def test_a_client_may_have_all_managers_forgotten(nobody: list[Any]) -> None:
    world = World()
    path = f"{DEFAULT}/configmaps"
    world.create(f"{path}?fieldManager=me", {"metadata": {"name": "web"}, "data": {"a": "b"}})
    change = {"metadata": {"managedFields": nobody}}
    answer = world.ask("PATCH", f"{path}/web", body=change, content_type="application/merge-patch+json")
    assert "managedFields" not in answer.body["metadata"]


@pytest.mark.parametrize(("rules", "owned"), [({"rules": []}, True), ({"rules": None}, False), ({}, False)])
def test_a_list_that_was_given_empty_is_owned_and_one_left_out_is_not(rules: dict[str, Any], owned: bool) -> None:
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles?fieldManager=me"
    role = World().create(path, {"metadata": {"name": "web", "labels": {"a": "b"}}, **rules})
    assert ("f:rules" in owners(role)["me"]) is owned
