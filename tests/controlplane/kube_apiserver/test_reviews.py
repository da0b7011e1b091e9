"""Reviews: what the API server answers when it is asked who somebody is and what he may do."""

from __future__ import annotations

from typing import Any

import pytest
from asking import World, person, rule

from autograder.controlplane.apimachinery.wire import ADMIN

AUTHORIZATION = "/apis/authorization.k8s.io/v1"
SELF = f"{AUTHORIZATION}/selfsubjectaccessreviews"
OTHER = f"{AUTHORIZATION}/subjectaccessreviews"
LOCAL = f"{AUTHORIZATION}/namespaces/default/localsubjectaccessreviews"
RULES = f"{AUTHORIZATION}/selfsubjectrulesreviews"
BOB = person("bob", "dev")
LIST_PODS = {"verb": "list", "resource": "pods", "namespace": "default"}


@pytest.fixture
def world() -> World:
    """Bob may list pods in ``default``, through a group."""
    world = World()
    world.grant("Group:dev", rule("list", "pods"), namespace="default", name="listing")
    return world


def test_everybody_may_ask_about_himself(world: World) -> None:
    answer = world.create(SELF, {"spec": {"resourceAttributes": LIST_PODS}}, BOB)
    assert answer["kind"] == "SelfSubjectAccessReview"
    assert answer["spec"] == {"resourceAttributes": {"namespace": "default", "verb": "list", "resource": "pods"}}
    assert answer["status"] == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "listing/default" of Role "listing" to Group "dev"',
    }


@pytest.mark.parametrize(
    ("attributes", "allowed"),
    [
        ({**LIST_PODS, "namespace": "dev"}, False),
        ({**LIST_PODS, "namespace": ""}, False),
        ({**LIST_PODS, "verb": "delete"}, False),
        ({**LIST_PODS, "subresource": "log"}, False),
        ({**LIST_PODS, "group": "metrics.k8s.io"}, False),
        ({**LIST_PODS, "name": "p"}, True),
    ],
)
def test_the_answer_is_what_a_request_would_meet(world: World, attributes: Any, allowed: bool) -> None:
    answer = world.create(SELF, {"spec": {"resourceAttributes": attributes}}, BOB)
    assert answer["status"]["allowed"] is allowed


def test_paths_can_be_asked_for(world: World) -> None:
    for path, allowed in (("/healthz", True), ("/metrics", False)):
        spec = {"nonResourceAttributes": {"verb": "get", "path": path}}
        assert world.create(SELF, {"spec": spec}, BOB)["status"]["allowed"] is allowed


def test_some_may_ask_about_others(world: World) -> None:
    spec = {"user": "eve", "groups": ["dev"], "resourceAttributes": LIST_PODS}
    assert world.create(OTHER, {"spec": spec})["status"]["allowed"] is True
    assert world.create(OTHER, {"spec": {**spec, "groups": []}})["status"] == {"allowed": False}
    assert 'cannot create resource "subjectaccessreviews"' in world.refusal("POST", OTHER, BOB, {"spec": spec})


def test_of_masters_there_is_nothing_to_tell(world: World) -> None:
    spec = {"user": "root", "groups": ["system:masters"], "resourceAttributes": LIST_PODS}
    assert world.create(OTHER, {"spec": spec})["status"] == {"allowed": True}


def test_a_local_review_is_about_its_namespace(world: World) -> None:
    body = {"metadata": {"namespace": "default"}, "spec": {"groups": ["dev"], "resourceAttributes": LIST_PODS}}
    assert world.create(LOCAL, body)["status"]["allowed"] is True
    body["spec"] = {"groups": ["dev"], "resourceAttributes": {**LIST_PODS, "namespace": "dev"}}
    response = world.ask("POST", LOCAL, ADMIN, body)
    assert (response.code, response.body["message"]) == (
        422,
        '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid '
        'value: "dev": must match metadata.namespace',
    )


@pytest.mark.parametrize(
    ("path", "spec", "text"),
    [
        (SELF, {}, "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or "
                   "resourceAttributes must be specified"),
        (SELF, {"resourceAttributes": {}, "nonResourceAttributes": {"path": "/a"}},
         'spec.nonResourceAttributes: Invalid value: {"Path":"/a","Verb":""}: cannot be specified in combination with '
         "resourceAttributes"),
        (OTHER, {"resourceAttributes": LIST_PODS},
         'spec.user: Invalid value: "": at least one of user or group must be specified'),
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(world: World, path: str, spec: Any, text: str) -> None:
    response = world.ask("POST", path, ADMIN, {"spec": spec})
    assert (response.code, response.body["reason"]) == (422, "Invalid")
    assert response.body["message"].endswith(text)


def test_a_review_has_no_name(world: World) -> None:
    response = world.ask("POST", SELF, ADMIN, {"metadata": {"name": "x"}, "spec": {"resourceAttributes": LIST_PODS}})
    assert response.code == 422
    assert response.body["message"].endswith("must be empty")


def test_nothing_of_a_review_is_kept(world: World) -> None:
    revision = world.api.backend.store.revision
    world.create(SELF, {"spec": {"resourceAttributes": LIST_PODS}}, BOB)
    assert world.api.backend.store.revision == revision


def test_all_rules_of_a_user_can_be_listed(world: World) -> None:
    answer = world.create(RULES, {"spec": {"namespace": "default"}}, BOB)
    status = answer["status"]
    assert (answer["spec"], status["incomplete"]) == ({}, False)
    assert status["resourceRules"][-1] == {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}
    assert status["nonResourceRules"][-1]["nonResourceURLs"] == [
        "/healthz",
        "/livez",
        "/readyz",
        "/version",
        "/version/",
    ]
    elsewhere = world.create(RULES, {"spec": {"namespace": "dev"}}, BOB)["status"]["resourceRules"]
    assert elsewhere == status["resourceRules"][:-1]


def test_the_rules_of_a_kubelet_are_not_all_in_rbac(world: World) -> None:
    kubelet = person("system:node:worker-1", "system:nodes")
    status = world.create(RULES, {"spec": {"namespace": "default"}}, kubelet)["status"]
    assert (status["incomplete"], status["evaluationError"]) == (
        True, "node authorizer does not support user rule resolution",
    )  # fmt: skip


def test_rules_are_listed_for_a_namespace(world: World) -> None:
    response = world.ask("POST", RULES, BOB, {"spec": {}})
    assert (response.code, response.body["message"]) == (400, "no namespace on request")


def test_a_token_can_be_shown_to_others_for_review(world: World) -> None:
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    status = world.create(path, {"spec": {"token": world.token()}})["status"]
    assert status["authenticated"] is True
    assert status["user"]["username"] == "system:serviceaccount:default:default"
    assert status["audiences"] == ["https://kubernetes.default.svc.cluster.local"]
    assert world.create(path, {"spec": {"token": "nonsense"}})["status"] == {
        "user": {}, "error": "invalid bearer token",
    }  # fmt: skip
    assert world.ask("POST", path, ADMIN, {"spec": {}}).code == 400


FIELDS, LABELS = "fieldSelector", "labelSelector"


@pytest.mark.parametrize(
    ("name", "selector", "said"),
    [
        (FIELDS, {"rawSelector": "metadata.name=a"}, ""),
        (FIELDS, {"rawSelector": "metadata.name"}, "ignored"),
        (FIELDS, {"requirements": [{"key": "a", "operator": "In", "values": ["b"]}]}, ""),
        (FIELDS, {"requirements": [{"key": "a", "operator": "Exists"}]}, "ignored"),
        (
            FIELDS,
            {"requirements": [{"key": "a", "operator": "Exists"}, {"key": "a", "operator": "In", "values": ["b"]}]},
            "partially ignored",
        ),
        (LABELS, {"rawSelector": "a in (b,c),!d"}, ""),
        (LABELS, {"rawSelector": "a in b"}, "ignored"),
        (LABELS, {"requirements": [{"key": "a", "operator": "Exists"}]}, ""),
        (LABELS, {"requirements": [{"key": "a", "operator": "Near"}]}, "ignored"),
    ],
)
def test_a_selector_that_cannot_be_read_is_left_out_and_told_of(
    world: World, name: str, selector: Any, said: str
) -> None:
    spec = {"resourceAttributes": {**LIST_PODS, name: selector}}
    status = world.create(SELF, {"spec": spec}, BOB)["status"]
    assert status["allowed"] is True
    expected = f"spec.resourceAttributes.{name} {said} due to parse error" if said else ""
    assert status.get("evaluationError", "") == expected
