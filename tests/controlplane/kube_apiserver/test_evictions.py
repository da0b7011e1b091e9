"""Evictions are deletions that disruption budgets allow, and of which the pod says what they were."""

from __future__ import annotations

import pytest
from asking import DEFAULT, Object, World

from autograder.controlplane.apimachinery.wire import Response

BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
MERGE = "application/merge-patch+json"


@pytest.fixture
def world() -> World:
    """A pod that runs on a node, labelled ``app=web``."""
    world = World()
    spec = {"containers": [{"name": "c", "image": "i"}], "nodeName": "n"}
    world.create(f"{DEFAULT}/pods", {"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec})
    world.ask("PATCH", f"{DEFAULT}/pods/web/status", body={"status": {"phase": "Running"}}, content_type=MERGE)
    return world


def evict(world: World, **options: object) -> Response:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}, "deleteOptions": options}
    return world.ask("POST", f"{DEFAULT}/pods/web/eviction", body=eviction)


def budget(world: World, name: str = "few", policy: str = "", **status: object) -> None:
    spec: Object = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    if policy:
        spec["unhealthyPodEvictionPolicy"] = policy
    world.create(BUDGETS, {"metadata": {"name": name}, "spec": spec})
    status = {"observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1, **status}
    world.ask("PATCH", f"{BUDGETS}/{name}/status", body={"status": status}, content_type=MERGE)


def ready(world: World) -> None:
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    world.ask("PATCH", f"{DEFAULT}/pods/web/status", body={"status": status}, content_type=MERGE)


def cause(answer: Response) -> str:
    assert (answer.code, answer.body["reason"]) == (429, "TooManyRequests")
    return str(answer.body["details"]["causes"][0]["message"])


def test_a_pod_that_is_evicted_says_so(world: World) -> None:
    assert evict(world).code == 201
    pod = world.ask("GET", f"{DEFAULT}/pods/web").body
    assert "deletionTimestamp" in pod["metadata"]
    condition = next(one for one in pod["status"]["conditions"] if one["type"] == "DisruptionTarget")
    assert (condition["status"], condition["reason"]) == ("True", "EvictionByEvictionAPI")


def test_an_eviction_that_is_only_tried_changes_nothing(world: World) -> None:
    before = world.ask("GET", f"{DEFAULT}/pods/web").body
    assert evict(world, dryRun=["All"]).code == 201
    assert world.ask("GET", f"{DEFAULT}/pods/web").body == before


def test_a_precondition_holds_for_the_pod_before_it_was_marked(world: World) -> None:
    revision = world.ask("GET", f"{DEFAULT}/pods/web").body["metadata"]["resourceVersion"]
    assert evict(world, preconditions={"resourceVersion": "1"}).code == 409
    assert evict(world, preconditions={"resourceVersion": revision}).code == 201


def test_a_ready_pod_is_evicted_while_its_budget_lasts(world: World) -> None:
    ready(world)
    budget(world, currentHealthy=2, disruptionsAllowed=1)
    assert evict(world).code == 201
    status = world.ask("GET", f"{BUDGETS}/few").body["status"]
    assert (status["disruptionsAllowed"], list(status["disruptedPods"])) == (0, ["web"])
    assert [(one["type"], one["status"]) for one in status["conditions"]] == [("DisruptionAllowed", "False")]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({}, "The disruption budget few needs 1 healthy pods and has 1 currently"),
        ({"currentHealthy": 3}, "The disruption budget few does not allow evicting pods currently"),
        ({"observedGeneration": 0}, "The disruption budget few is still being processed by the server."),
    ],
)
def test_a_ready_pod_stays_where_its_budget_is_spent(world: World, status: Object, why: str) -> None:
    ready(world)
    budget(world, **status)
    assert cause(evict(world)) == why


@pytest.mark.parametrize(
    ("policy", "status", "code"),
    [
        ("", {"currentHealthy": 0}, 429),
        ("", {"currentHealthy": 1}, 201),
        ("IfHealthyBudget", {"desiredHealthy": 0}, 429),
        ("AlwaysAllow", {"currentHealthy": 0}, 201),
    ],
)
def test_a_pod_that_is_not_ready_goes_if_the_budget_is_healthy_or_spares_none(
    world: World, policy: str, status: Object, code: int
) -> None:
    budget(world, policy=policy, **status)
    assert evict(world).code == code


def test_a_pod_under_two_budgets_cannot_be_evicted(world: World) -> None:
    for name in ("few", "more"):
        budget(world, name, disruptionsAllowed=1)
    answer = evict(world)
    assert (answer.code, answer.body["message"]) == (
        500,
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    )
