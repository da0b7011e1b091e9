"""Pods of lower priority make room."""

from __future__ import annotations

import pytest
from scheduling_world import World, node, pod_info

from autograder.controlplane.apimachinery.scheme import PODDISRUPTIONBUDGETS, PODS
from autograder.controlplane.kube_scheduler.plugins.default_preemption import (
    Candidate,
    select_candidate,
    split_by_budget,
)


@pytest.fixture
def world() -> World:
    world = World(node("a", "4"))
    world.priority("high", 1000)
    return world


def test_a_pod_of_lower_priority_goes_and_the_node_is_nominated(world: World) -> None:
    assert world.schedule("low", "3") == "a"
    assert world.schedule("urgent", "3", priorityClassName="high") == ""
    urgent = world.pod("urgent")
    assert urgent["status"]["nominatedNodeName"] == "a"
    assert world.message("urgent") == "0/1 nodes are available: 1 Insufficient cpu."
    assert "deletionTimestamp" in world.pod("low")["metadata"]
    target = world.condition("low", "DisruptionTarget")
    assert target["reason"] == "PreemptionByScheduler"
    assert target["message"] == "default-scheduler: preempting to accommodate a higher priority pod"
    (event,) = world.events("Preempted")
    assert event["message"] == f"Preempted by pod {urgent['metadata']['uid']} on node a"
    assert event["action"] == "Preempting"
    assert event["related"]["name"] == "urgent"
    world.delete("low")
    assert world.node_of("urgent") == "a"
    assert "nominatedNodeName" not in world.pod("urgent")["status"]


def test_room_that_is_being_made_is_not_given_to_others(world: World) -> None:
    world.schedule("low", "3")
    world.schedule("urgent", "3", priorityClassName="high")
    world.delete("low")
    assert world.schedule("late", "3") == ""
    assert world.node_of("urgent") == "a"


def test_as_many_pods_as_possible_are_spared(world: World) -> None:
    world.priority("middle", 500)
    for name, priority in (("middle", "middle"), ("low", "")):
        world.schedule(name, "1", **({"priorityClassName": priority} if priority else {}))
    world.schedule("urgent", "3", priorityClassName="high")
    assert "deletionTimestamp" in world.pod("low")["metadata"]
    assert "deletionTimestamp" not in world.pod("middle")["metadata"]


@pytest.mark.parametrize("pods", [[("low", "1")], []])
def test_where_removing_pods_does_not_help_none_is_removed(world: World, pods: list[tuple[str, str]]) -> None:
    for name, cpu in pods:
        world.schedule(name, cpu)
    assert world.schedule("huge", "5", priorityClassName="high") == ""
    assert world.message("huge") == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )
    assert world.events("Preempted") == []


def test_pods_of_the_same_priority_are_no_victims(world: World) -> None:
    world.schedule("first", "3")
    assert world.schedule("second", "3") == ""
    assert world.message("second") == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )


def test_a_pod_may_renounce_preemption(world: World) -> None:
    world.create(
        __import__("autograder.controlplane.apimachinery.scheme", fromlist=["PRIORITYCLASSES"]).PRIORITYCLASSES,
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "patient"},
            "value": 900,
            "preemptionPolicy": "Never",
        },
    )
    world.schedule("low", "3")
    assert world.schedule("p", "3", priorityClassName="patient") == ""
    assert world.message("p") == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, "
        "preemption: not eligible due to preemptionPolicy=Never."
    )


def test_while_victims_end_no_more_are_chosen(world: World) -> None:
    world.add_node(node("b", "4"))
    world.schedule("low-1", "3")
    world.schedule("low-2", "3")
    world.schedule("urgent", "3", priorityClassName="high")
    nominated = world.pod("urgent")["status"]["nominatedNodeName"]
    world.advance(301)
    world.advance(30)
    assert world.pod("urgent")["status"]["nominatedNodeName"] == nominated
    assert "not eligible due to a terminating pod on the nominated node." in world.message("urgent")
    assert len(world.events("Preempted")) == 1


def test_a_budget_is_violated_only_if_there_is_no_other_way(world: World) -> None:
    world.add_node(node("b", "4"))
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "guard", "namespace": "default"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "guarded"}}},
    }
    world.create(PODDISRUPTIONBUDGETS, budget)
    world.schedule("guarded", "3", labels={"app": "guarded"})
    world.schedule("free", "3", labels={"app": "free"})
    world.schedule("urgent", "3", priorityClassName="high")
    assert "deletionTimestamp" in world.pod("free")["metadata"]
    assert "deletionTimestamp" not in world.pod("guarded")["metadata"]
    assert world.admin.list(PODS)[0]


def test_budgets_allow_a_number_of_disruptions() -> None:
    victims = [pod_info(f"p{number}", labels={"app": "web"}) for number in range(3)]
    budget = {
        "metadata": {"namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": 1, "disruptedPods": {"p0": "2026-01-01T09:00:00Z"}},
    }
    violating, others = split_by_budget(victims, [budget])
    assert [one.name for one in violating] == ["p2"]
    assert [one.name for one in others] == ["p0", "p1"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (((5,), 0), ((1,), 1)),
        (((3,), 0), ((4,), 0)),
        (((3, 1), 0), ((3, 2), 0)),
        (((3,), 0), ((3, 3), 0)),
        (((-5,), 0), ((-5, -5), 0)),
    ],
)
def test_the_least_harm_is_done(left: tuple[tuple[int, ...], int], right: tuple[tuple[int, ...], int]) -> None:
    def candidate(name: str, priorities: tuple[int, ...], violations: int) -> Candidate:
        victims = tuple(pod_info(f"{name}{place}", priority=one) for place, one in enumerate(priorities))
        return Candidate(name, victims, violations)

    better, worse = candidate("better", *left), candidate("worse", *right)
    assert select_candidate([worse, better], now=0).node == "better"
    assert select_candidate([better, worse], now=0).node == "better"
