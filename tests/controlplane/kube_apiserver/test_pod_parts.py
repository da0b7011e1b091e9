"""Subresources that write one part of a pod: its ephemeral containers, its resources."""

from __future__ import annotations

from typing import Any

import pytest
from asking import DEFAULT, Object, World, person, rule

POD = f"{DEFAULT}/pods/web"
STRATEGIC = "application/strategic-merge-patch+json"
DEBUGGER: Object = {"name": "debugger", "image": "busybox:1.36", "targetContainerName": "c", "stdin": True}
AMOUNTS: Object = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}


@pytest.fixture
def world() -> World:
    world = World()
    container = {"name": "c", "image": "nginx:1.27", "resources": AMOUNTS}
    world.create(f"{DEFAULT}/pods", {"metadata": {"name": "web"}, "spec": {"containers": [container]}})
    return world


def patch(world: World, part: str, spec: Object, code: int = 200, **more: Any) -> Object:
    """What a strategic merge patch of a part answers."""
    answer = world.ask("PATCH", f"{POD}/{part}", body={"spec": spec, **more}, content_type=STRATEGIC)
    assert answer.code == code, answer.body
    found: Object = answer.body
    return found


def added(world: World, *containers: Object, code: int = 200) -> Object:
    return patch(world, "ephemeralcontainers", {"ephemeralContainers": list(containers)}, code)


def resized(world: World, code: int = 200, **resources: Object) -> Object:
    return patch(world, "resize", {"containers": [{"name": "c", "resources": resources}]}, code)


# ---------------------------------------------------------------- ephemeral containers


def test_an_ephemeral_container_is_added_with_defaults_and_counted_as_a_change(world: World) -> None:
    pod = added(world, DEBUGGER)
    assert pod["metadata"]["generation"] == 2
    assert pod["spec"]["ephemeralContainers"] == [
        {**DEBUGGER, "resources": {}, "imagePullPolicy": "IfNotPresent",
         "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"},
    ]  # fmt: skip


def test_another_one_is_added_beside_those_that_are_there(world: World) -> None:
    added(world, DEBUGGER)
    pod = added(world, {"name": "second", "image": "busybox:1.36"})
    assert {one["name"] for one in pod["spec"]["ephemeralContainers"]} == {"debugger", "second"}
    answer = world.ask("GET", f"{POD}/ephemeralcontainers")
    assert (answer.code, answer.body["kind"], answer.body["spec"]) == (200, "Pod", pod["spec"])


def test_what_else_is_in_the_body_is_left_as_it_was(world: World) -> None:
    spec = {"ephemeralContainers": [DEBUGGER], "activeDeadlineSeconds": 5}
    pod = patch(world, "ephemeralcontainers", spec, metadata={"labels": {"a": "b"}}, status={"phase": "Failed"})
    assert "activeDeadlineSeconds" not in pod["spec"]
    assert "labels" not in pod["metadata"]
    assert pod["status"]["phase"] == "Pending"


def test_an_ephemeral_container_neither_changes_nor_goes(world: World) -> None:
    pod = added(world, DEBUGGER)
    why = 'existing ephemeral containers "debugger" may not be changed\n'
    assert why in added(world, {**DEBUGGER, "image": "busybox:latest"}, code=422)["message"]
    without = {**pod, "spec": {**pod["spec"], "ephemeralContainers": []}}
    answer = world.ask("PUT", f"{POD}/ephemeralcontainers", body=without)
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    assert answer.body["message"] == (
        'Pod "web" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "debugger" '
        "may not be removed\n"
    )


@pytest.mark.parametrize(
    ("container", "why"),
    [
        ({"name": "c", "image": "i"}, 'spec.ephemeralContainers[0].name: Duplicate value: "c"'),
        ({"name": "d"}, "spec.ephemeralContainers[0].image: Required value"),
        ({"name": "d", "image": "i", "ports": [{"containerPort": 80}]}, "ports: Forbidden: cannot be set for an "),
        ({"name": "d", "image": "i", "targetContainerName": "x"}, 'targetContainerName: Not found: "x"'),
        ({"name": "d", "image": "i", "resources": AMOUNTS}, "resources: Forbidden: cannot be set for an "),
    ],
)
def test_what_an_ephemeral_container_may_not_be(world: World, container: Object, why: str) -> None:
    assert why in added(world, container, code=422)["message"]


def test_the_pod_itself_takes_no_ephemeral_containers(world: World) -> None:
    message = patch(world, "", {"ephemeralContainers": [DEBUGGER]}, 422)["message"]
    assert "pod updates may not change fields other than" in message


def test_a_pod_that_is_not_there_is_not_made(world: World) -> None:
    body = {"spec": {"ephemeralContainers": [DEBUGGER]}}
    answer = world.ask("PATCH", f"{DEFAULT}/pods/x/ephemeralcontainers", body=body, content_type=STRATEGIC)
    assert (answer.code, answer.body["message"]) == (404, 'pods "x" not found')


# ---------------------------------------------------------------- resources


def test_a_resize_changes_resources_and_nothing_else(world: World) -> None:
    changed = {"name": "c", "image": "nginx:1.28", "resources": {"requests": {"cpu": "200m"}}}
    pod = patch(world, "resize", {"containers": [changed]}, metadata={"labels": {"a": "b"}})
    (container,) = pod["spec"]["containers"]
    assert container["resources"] == {**AMOUNTS, "requests": {"cpu": "200m", "memory": "64Mi"}}
    assert (container["image"], pod["metadata"].get("labels"), pod["metadata"]["generation"]) == ("nginx:1.27", None, 2)


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        ({"requests": {"memory": "1Gi"}}, "must be less than or equal to memory limit of 128Mi"),
        ({"limits": {"memory": None}}, "resources.limits: Forbidden: resource limits cannot be removed"),
        ({"requests": {"cpu": "1", "memory": "128Mi"}, "limits": {"cpu": "1"}}, "Pod QOS Class may not change"),
        ({"limits": {"ephemeral-storage": "1Gi"}}, "only cpu and memory resources are mutable"),
    ],
)
def test_what_may_not_be_resized(world: World, resources: Object, why: str) -> None:
    assert why in resized(world, 422, **resources)["message"]


def test_containers_are_not_added_by_a_resize(world: World) -> None:
    message = patch(world, "resize", {"containers": [{"name": "d", "image": "i"}]}, 422)["message"]
    assert "spec.containers: Forbidden: containers may not be added or removed on resize" in message


def test_a_resize_is_charged_to_the_quota(world: World) -> None:
    used = {"requests.cpu": "100m"}
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"requests.cpu": "150m"}}}
    made = world.create(f"{DEFAULT}/resourcequotas", quota)
    status = {**made, "status": {"hard": {"requests.cpu": "150m"}, "used": used}}
    assert world.ask("PUT", f"{DEFAULT}/resourcequotas/few/status", body=status).code == 200
    message = resized(world, 403, requests={"cpu": "200m"})["message"]
    assert "exceeded quota: few, requested: requests.cpu=100m, used: requests.cpu=100m, limited: " in message
    resized(world, requests={"cpu": "140m"})
    found = world.ask("GET", f"{DEFAULT}/resourcequotas/few").body
    assert found["status"]["used"] == {"requests.cpu": "140m"}


def test_a_resize_stays_within_limit_ranges(world: World) -> None:
    limit = {"type": "Container", "max": {"memory": "256Mi"}}
    world.create(f"{DEFAULT}/limitranges", {"metadata": {"name": "small"}, "spec": {"limits": [limit]}})
    message = resized(world, 403, limits={"memory": "1Gi"})["message"]
    assert "maximum memory usage per Container is 256Mi, but limit is 1Gi" in message


def test_who_may_change_pods_may_not_for_that_change_their_parts(world: World) -> None:
    world.grant("User:bob", rule("get,patch", "pods"), namespace="default")
    body = {"spec": {"ephemeralContainers": [DEBUGGER]}}
    refusal = world.refusal("PATCH", f"{POD}/ephemeralcontainers", person("bob"), body, content_type=STRATEGIC)
    assert 'cannot patch resource "pods/ephemeralcontainers"' in refusal
