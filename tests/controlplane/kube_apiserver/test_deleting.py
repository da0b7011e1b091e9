"""How objects are to be deleted: options in bodies and in parameters, what is answered, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking import DEFAULT, Object, World

from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response

MAP = f"{DEFAULT}/configmaps/web"


@pytest.fixture
def world() -> World:
    world = World()
    world.create(f"{DEFAULT}/configmaps", {"metadata": {"name": "web", "finalizers": ["example.com/keep"]}})
    return world


def delete(world: World, path: str, body: Any = b"", media_type: str = "application/json", **query: str) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": media_type} if data else {}
    return world.api.handle(Request("DELETE", path, {key: [text] for key, text in query.items()}, headers, data, ADMIN))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"gracePeriodSeconds": "x"}, "json: cannot unmarshal string into Go struct field DeleteOptions."
         "gracePeriodSeconds of type int64"),
        ({"dryRun": "All"}, "json: cannot unmarshal string into Go struct field DeleteOptions.dryRun of type []string"),
        (b"x", "couldn't get version/kind; json parse error: invalid character 'x' looking for beginning of value"),
        ({"kind": "Pod", "apiVersion": "v1"}, 'no kind "Pod" is registered for version "v1" in scheme '
         '"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"'),
        ({"apiVersion": "a/b/c"}, "unexpected GroupVersion string: a/b/c"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_options_is_refused(world: World, body: Any, why: str) -> None:
    answer = delete(world, MAP, body)
    assert (answer.code, answer.body["message"]) == (400, why)


@pytest.mark.parametrize("body", [{"kind": "DeleteOptions", "apiVersion": "apps/v1"}, b"null", {"unknown": 1}])
def test_a_body_of_options_may_be_of_any_group_and_say_nothing(world: World, body: Any) -> None:
    assert delete(world, MAP, body, dryRun="All").code == 200


def test_parameters_count_only_where_there_is_no_body(world: World) -> None:
    def finalizers(**query: str) -> list[str]:
        found: list[str] = delete(world, MAP, dryRun="All", **query).body["metadata"]["finalizers"]
        return found

    assert finalizers(propagationPolicy="Orphan") == ["example.com/keep", "orphan"]
    assert finalizers(orphanDependents="yes") == ["example.com/keep", "orphan"]
    answer = delete(world, MAP, {"dryRun": ["All"]}, propagationPolicy="Orphan", gracePeriodSeconds="x")
    assert (answer.code, answer.body["metadata"]["finalizers"]) == (200, ["example.com/keep"])


def test_who_asks_in_old_words_that_dependents_go_is_told_when_that_takes_time(world: World) -> None:
    assert delete(world, MAP, {"orphanDependents": False, "dryRun": ["All"]}).code == 202


@pytest.mark.parametrize(
    ("preconditions", "why"),
    [
        ({"uid": "x"}, "the UID in the precondition (x) does not match the UID in record ({uid}). The object might "
         "have been deleted and then recreated"),
        ({"resourceVersion": "1"}, "the ResourceVersion in the precondition (1) does not match the ResourceVersion in "
         "record ({resourceVersion}). The object might have been modified"),
    ],
)  # fmt: skip
def test_what_is_not_as_a_precondition_says_stays(world: World, preconditions: Object, why: str) -> None:
    metadata = world.ask("GET", MAP).body["metadata"]
    answer = delete(world, MAP, {"preconditions": preconditions})
    assert answer.code == 409
    assert answer.body["message"] == f'Operation cannot be fulfilled on ConfigMap "web": {why.format(**metadata)}'
    assert answer.body["details"] == {"name": "web", "kind": "ConfigMap"}


def test_a_policy_that_there_is_not_is_refused(world: World) -> None:
    answer = delete(world, MAP, {"propagationPolicy": "Never"})
    policies = '"Foreground", "Background", "Orphan", "nil"'
    assert answer.code == 422
    assert answer.body["details"]["causes"][0]["message"] == f'Unsupported value: "Never": supported values: {policies}'


def test_a_pod_without_a_node_is_answered_with_as_one_that_was_given_no_time(world: World) -> None:
    world.create(
        f"{DEFAULT}/pods", {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    )
    last = delete(world, f"{DEFAULT}/pods/web").body
    assert last["kind"] == "Pod"
    assert (last["metadata"]["deletionGracePeriodSeconds"], last["metadata"]["generation"]) == (0, 2)
    assert "deletionTimestamp" in last["metadata"]
    assert world.ask("GET", f"{DEFAULT}/pods/web").code == 404


def test_a_grace_period_beyond_all_time_wraps_around_as_in_go(world: World) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}], "nodeName": "n"}
    world.create(f"{DEFAULT}/pods", {"metadata": {"name": "web"}, "spec": spec})
    answer = delete(world, f"{DEFAULT}/pods/web", {"gracePeriodSeconds": 2**40})
    assert (answer.code, answer.body["metadata"]["deletionGracePeriodSeconds"]) == (200, 2**40)
    assert answer.body["metadata"]["deletionTimestamp"].startswith("1794-")


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ({}, True),
        ({"gracePeriodSeconds": 0}, True),
        ({"propagationPolicy": "Background"}, False),
        ({"propagationPolicy": "Orphan"}, False),
        ({"orphanDependents": True}, False),
    ],
)
def test_who_deletes_a_job_without_a_word_about_its_pods_is_told_that_they_stay(
    world: World, options: Object, warned: bool
) -> None:
    pods = {"containers": [{"name": "a", "image": "b"}], "restartPolicy": "Never"}
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    world.create(jobs, {"metadata": {"name": "once"}, "spec": {"template": {"spec": pods}}})
    warnings = delete(world, f"{jobs}/once", options).warnings
    assert [text.partition(" by")[0] for text in warnings] == ["child pods are preserved"] * warned


@pytest.mark.parametrize("name", ["system-node-critical", "system-cluster-critical"])
def test_the_priority_classes_of_the_system_are_not_deleted(world: World, name: str) -> None:
    answer = delete(world, f"/apis/scheduling.k8s.io/v1/priorityclasses/{name}")
    assert answer.code == 403
    assert answer.body["message"] == (
        f'priorityclasses.scheduling.k8s.io "{name}" is forbidden: '
        "this is a system priority class and cannot be deleted"
    )


@pytest.mark.parametrize(
    ("preconditions", "why"),
    [
        ({"uid": "x"}, "UID in precondition: x, UID in object meta: "),
        ({"resourceVersion": "1"}, "ResourceVersion in precondition: 1, ResourceVersion in object meta: "),
    ],
)
def test_a_namespace_says_in_words_of_its_own_which_precondition_failed(
    world: World, preconditions: Object, why: str
) -> None:
    answer = delete(world, "/api/v1/namespaces/dev", {"preconditions": preconditions})
    assert answer.code == 409
    start = 'Operation cannot be fulfilled on namespaces "dev": Precondition failed: '
    assert answer.body["message"].startswith(start + why)


def test_a_storage_class_is_answered_with_when_it_is_deleted(world: World) -> None:
    classes = "/apis/storage.k8s.io/v1/storageclasses"
    world.create(classes, {"metadata": {"name": "fast"}, "provisioner": "example.com/disk"})
    assert delete(world, f"{classes}/fast").body["provisioner"] == "example.com/disk"


@pytest.mark.parametrize(
    ("path", "name", "body"),
    [
        ("pods/web/eviction", 'pods "web"', {}),
        ("pods/web/binding", 'pods "web"', {"target": {"name": "node"}}),
        ("bindings", 'bindings "web"', {"metadata": {"name": "web"}, "target": {"name": "node"}}),
        ("serviceaccounts/web/token", 'serviceaccounts "web"', {}),
    ],
)
def test_a_namespace_that_ends_lets_no_evictions_bindings_and_tokens_in(
    world: World, path: str, name: str, body: Object
) -> None:
    delete(world, "/api/v1/namespaces/dev")
    answer = world.ask("POST", f"/api/v1/namespaces/dev/{path}", body=body)
    assert answer.code == 403
    assert answer.body["message"] == (
        f"{name} is forbidden: unable to create new content in namespace dev because it is being terminated"
    )


def test_a_selector_that_makes_no_sense_is_refused_before_anybody_is_warned(world: World) -> None:
    answer = delete(world, "/apis/batch/v1/namespaces/default/jobs", labelSelector="=")
    assert (answer.code, list(answer.warnings)) == (400, [])
