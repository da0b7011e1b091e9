"""ClusterRoles that are made of others follow them."""

from __future__ import annotations

from typing import Any

from controller_world import World

from autograder.controlplane.apimachinery import scheme

ROLES = scheme.resource("clusterroles", "rbac.authorization.k8s.io")


def role(name: str, resource: str = "", labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    rules = [{"verbs": ["get"], "apiGroups": ["example.com"], "resources": [resource]}] if resource else []
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    return {**kind, "metadata": {"name": name, "labels": labels or {}}, "rules": rules, **more}


def made_of(**labels: str) -> dict[str, Any]:
    return {"clusterRoleSelectors": [{"matchLabels": labels}]}


def resources(world: World, name: str) -> list[str]:
    return [one for rule in world.get(ROLES, name, "")["rules"] or () for one in rule["resources"]]


def test_an_aggregated_role_has_the_rules_of_the_roles_that_it_selects(world: World) -> None:
    world.create(role("z", "widgets", {"part": "yes"}), "")
    world.create(role("a", "gadgets", {"part": "yes"}), "")
    world.create(role("other", "others"), "")
    world.create(role("whole", aggregationRule=made_of(part="yes")), "")
    world.settle()
    assert resources(world, "whole") == ["gadgets", "widgets"]


def test_it_follows_them(world: World) -> None:
    world.create(role("whole", aggregationRule=made_of(part="yes")), "")
    world.create(role("a", "gadgets", {"part": "yes"}), "")
    world.settle()
    assert resources(world, "whole") == ["gadgets"]
    world.delete(ROLES, "a", "")
    world.settle()
    assert resources(world, "whole") == []


def test_a_custom_role_can_be_added_to_the_roles_for_people(world: World) -> None:
    world.create(role("widgets-view", "widgets", {"rbac.authorization.k8s.io/aggregate-to-view": "true"}), "")
    world.settle()
    assert all("widgets" in resources(world, name) for name in ("view", "edit", "admin"))


def test_the_default_roles_are_complete_from_the_start(world: World) -> None:
    assert {"pods", "services", "configmaps"} <= set(resources(world, "view"))
    assert set(resources(world, "view")) <= set(resources(world, "edit")) <= set(resources(world, "admin"))
    assert world.get(ROLES, "view", "")["metadata"].get("generation") is None
