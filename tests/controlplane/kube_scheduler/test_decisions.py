"""A decision can be told in full: node by plugin, what was turned down and why, the scores, and the choice."""

from __future__ import annotations

import pickle

import pytest
from scheduling_world import World, node

from autograder.controlplane.kube_scheduler.decision import Decision


def explain(world: World, name: str) -> Decision:
    decision = world.scheduler.explain(world.pod(name))
    assert decision is not None
    return decision


@pytest.fixture
def world() -> World:
    return World(
        node("big", "8", "16Gi"),
        node("small", "2", "4Gi"),
        node("closed", "8", "16Gi", unschedulable=True),
    )


def test_each_node_says_who_turned_it_down_and_why(world: World) -> None:
    world.schedule("p", "16")
    decision = explain(world, "p")
    assert decision.node == ""
    assert decision.message == world.message("p")
    assert {row.node: (row.filtered_by, row.reasons) for row in decision.nodes} == {
        "big": ("NodeResourcesFit", ("Insufficient cpu",)),
        "small": ("NodeResourcesFit", ("Insufficient cpu",)),
        "closed": ("NodeUnschedulable", ("node(s) were unschedulable",)),
    }


def test_scores_are_given_raw_normalized_and_weighted(world: World) -> None:
    world.schedule("p", "1", "1Gi")
    decision = explain(world, "p")
    rows = {row.node: row for row in decision.nodes}
    scores = {score.plugin: (score.raw, score.normalized, score.weighted) for score in rows["big"].scores}
    assert scores == {
        "TaintToleration": (0, 100, 300),
        "NodeResourcesFit": (90, 90, 90),
        "NodeResourcesBalancedAllocation": (73, 73, 73),
        "ImageLocality": (0, 0, 0),
    }
    assert rows["big"].total == 463
    assert rows["closed"].scores == ()
    assert decision.node == "big"
    assert decision.tied == ("big",)


def test_nodes_that_are_equally_good_are_named() -> None:
    world = World(*(node(name) for name in "abc"))
    chosen = world.schedule("p")
    decision = explain(world, "p")
    assert decision.tied == ("a", "b", "c")
    assert decision.node == chosen


def test_a_decision_is_told_as_of_its_time(world: World) -> None:
    world.schedule("first", "6")
    before = explain(world, "first")
    world.schedule("second", "1")
    world.delete("second")
    assert explain(world, "first") == before


def test_every_try_is_remembered(world: World) -> None:
    world.schedule("p", "16")
    world.add_node(node("huge", "32"))
    world.settle()
    tries = world.scheduler.attempts("default", "p")
    assert [one.node for one in tries] == ["", "huge"]


def test_a_decision_is_plain_data(world: World) -> None:
    world.schedule("p")
    decision = explain(world, "p")
    assert pickle.loads(pickle.dumps(decision)) == decision


def test_of_other_pods_nothing_is_known(world: World) -> None:
    world.schedule("p", on="big")
    assert world.scheduler.explain(world.pod("p")) is None
