"""A disruption budget knows how many pods may go, and evictions keep to it."""

from __future__ import annotations

import pytest
from controller_world import Object, World, deployment, pod

from autograder.controlplane.apimachinery.errors import TooManyRequests
from autograder.controlplane.apimachinery.scheme import DEPLOYMENTS, PODDISRUPTIONBUDGETS, PODS


def budget(**spec: object) -> Object:
    body = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": body}


def status(world: World) -> tuple[int, int, int, int]:
    """Allowed, healthy, desired and expected."""
    found = world.get(PODDISRUPTIONBUDGETS, "b")["status"]
    fields = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    return tuple(found[field] for field in fields)


def evict(world: World, name: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"}}
    world.client.create(PODS, "default", eviction, "eviction", name)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 2}, (2, 4, 2, 4)),
        ({"minAvailable": "50%"}, (2, 4, 2, 4)),
        ({"minAvailable": "100%"}, (0, 4, 4, 4)),
        ({"maxUnavailable": 1}, (1, 4, 3, 4)),
        ({"maxUnavailable": "30%"}, (2, 4, 2, 4)),
        ({"maxUnavailable": 0}, (0, 4, 4, 4)),
        ({"minAvailable": 9}, (0, 4, 9, 4)),
    ],
)
def test_counts(world: World, spec: Object, expected: tuple[int, int, int, int]) -> None:
    world.create(deployment(replicas=4))
    world.create(budget(**spec))
    world.advance(5)
    assert status(world) == expected
    verdict = ("True", "SufficientPods") if expected[0] else ("False", "InsufficientPods")
    assert world.condition(PODDISRUPTIONBUDGETS, "b", "DisruptionAllowed") == verdict


def test_evictions_stop_when_the_budget_is_used_up(world: World) -> None:
    world.create(deployment(replicas=3))
    world.create(budget(minAvailable=2))
    world.advance(5)
    first, second, _ = world.names(PODS)
    evict(world, first)
    with pytest.raises(TooManyRequests, match="would violate the pod's disruption budget"):
        evict(world, second)
    world.advance(60)
    evict(world, second)


def test_counts_by_the_size_that_the_owner_wants(world: World) -> None:
    world.create(deployment(replicas=4))
    world.create(budget(maxUnavailable=1))
    world.advance(5)
    world.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 6}})
    world.advance(10)
    assert status(world) == (1, 6, 5, 6)


def test_pods_without_an_owner_cannot_be_counted_by_share(world: World) -> None:
    world.create(pod("lone", {"app": "web"}))
    world.create(budget(maxUnavailable=1))
    world.advance(5)
    assert status(world)[0] == 0
    assert "UnmanagedPods" in {reason for reason, _ in world.events("PodDisruptionBudget")}


def test_without_pods_nothing_is_allowed(world: World) -> None:
    world.create(budget(minAvailable=1))
    world.settle()
    assert status(world) == (0, 0, 1, 0)
    assert ("NoPods", "No matching pods found") in world.events("PodDisruptionBudget")
