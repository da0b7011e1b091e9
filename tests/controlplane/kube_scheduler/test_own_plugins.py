"""A plugin written in a notebook takes part like any other."""

from __future__ import annotations

from typing import Any

import pytest
from scheduling_world import World, node

from autograder.controlplane.kube_scheduler.events import Action, Interest, Resource
from autograder.controlplane.kube_scheduler.framework import Framework
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.plugins import NodeResourcesFit, default_plugins
from autograder.controlplane.kube_scheduler.status import SKIP, Status, unschedulable


class PreferNamesake:
    """Likes the node that is called as the pod."""

    name = "PreferNamesake"
    weight = 10

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        return 100 if node.name == pod.name else 0


class OnlyGreen:
    """Takes green nodes only."""

    name = "OnlyGreen"

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        return None if node.labels.get("colour") == "green" else unschedulable("node(s) were not green")

    def interests(self) -> tuple[Interest, ...]:
        return (Interest((Resource.NODE,), Action.ADD | Action.NODE_LABEL),)


class TooMuch:
    """Scores beyond what is allowed."""

    name = "TooMuch"

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        return 101


class Silent:
    """Takes no part."""

    name = "Silent"

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status:
        return SKIP

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        raise AssertionError("it said that it takes no part")


def with_plugin(plugin: Any) -> World:
    return World(node("a"), node("b"), node("c"), plugins=[*default_plugins(), plugin])


def test_a_score_of_ones_own_counts() -> None:
    world = with_plugin(PreferNamesake())
    assert [world.schedule(name) for name in "cab"] == ["c", "a", "b"]
    decision = world.scheduler.explain(world.pod("c"))
    assert decision is not None
    mine = {
        row.node: score.weighted for row in decision.nodes for score in row.scores if score.plugin == "PreferNamesake"
    }
    assert mine == {"a": 0, "b": 0, "c": 1000}


def test_a_filter_of_ones_own_counts_and_is_heard_again() -> None:
    from autograder.controlplane.apimachinery.scheme import NODES

    world = with_plugin(OnlyGreen())
    assert world.schedule("p") == ""
    assert world.message("p").startswith("0/3 nodes are available: 3 node(s) were not green. ")
    world.patch(NODES, "b", {"metadata": {"labels": {"colour": "green"}}})
    assert world.node_of("p") == "b"


def test_a_plugin_that_takes_no_part_is_not_asked() -> None:
    assert with_plugin(Silent()).schedule("p")


def test_a_score_out_of_bounds_is_an_error_that_the_pod_tells() -> None:
    world = with_plugin(TooMuch())
    assert world.schedule("p") == ""
    condition = world.condition("p")
    assert condition["reason"] == "SchedulerError"
    assert condition["message"] == (
        'plugin "TooMuch" returns an invalid score 101, it should in the range of [0, 100] after normalizing'
    )


def test_names_are_unique() -> None:
    with pytest.raises(ValueError, match="registered more than once: NodeResourcesFit"):
        Framework([NodeResourcesFit(), NodeResourcesFit()])


def test_a_fork_has_the_plugin_too() -> None:
    world = with_plugin(PreferNamesake()).fork()
    assert world.schedule("b") == "b"


def test_the_default_plugins_stand_in_their_order_with_their_weights() -> None:
    assert [plugin.name for plugin in default_plugins()] == [
        "SchedulingGates",
        "NodeUnschedulable",
        "NodeName",
        "TaintToleration",
        "NodeAffinity",
        "NodePorts",
        "NodeResourcesFit",
        "VolumeRestrictions",
        "VolumeBinding",
        "VolumeZone",
        "PodTopologySpread",
        "InterPodAffinity",
        "DynamicResources",
        "DefaultPreemption",
        "NodeResourcesBalancedAllocation",
        "ImageLocality",
        "DefaultBinder",
    ]
    weights = {scorer.plugin.name: scorer.weight for scorer in Framework(default_plugins()).scorers}
    assert weights == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }
