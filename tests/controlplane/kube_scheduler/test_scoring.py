"""How good nodes are: the scores of each plugin, by hand-calculated tables, and what comes of them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from scheduling_world import Object, World, node, node_info, pod_info

from autograder.controlplane.kube_scheduler.algorithm import nodes_to_find, select
from autograder.controlplane.kube_scheduler.cache import SchedulerCache
from autograder.controlplane.kube_scheduler.interface import Cycle, Window
from autograder.controlplane.kube_scheduler.node_info import NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.plugins import (
    BalancedAllocation,
    ImageLocality,
    NodeAffinity,
    NodeResourcesFit,
    TaintToleration,
)
from autograder.controlplane.kube_scheduler.snapshot import PlainSnapshot
from autograder.controlplane.kube_scheduler.status import SKIP

MEGABYTE = 1024 * 1024


class Surroundings:
    """As much of a handle as these plugins look at."""

    def __init__(self, *nodes: Object) -> None:
        self.cache = SchedulerCache()
        for one in nodes:
            self.cache.set_node(NodeFacts.of(one))


def scores(plugin: Any, pod: PodInfo, *nodes: NodeInfo) -> list[int]:
    """The normalized scores that a plugin gives to nodes."""
    snapshot = PlainSnapshot(nodes)
    cycle = Cycle(Surroundings(*(one.node.object for one in nodes)), snapshot)  # type: ignore[arg-type]
    window = Window.span(snapshot, 0, len(nodes))
    if hasattr(plugin, "pre_score"):
        assert plugin.pre_score(cycle, pod, window) is None
    raw = [plugin.score(cycle, pod, one) for one in nodes]
    return plugin.normalize(cycle, pod, window, raw) if hasattr(plugin, "normalize") else raw


@pytest.mark.parametrize(
    ("requests", "used", "expected"),
    [
        (("1", "1Gi"), ("0", "0"), (75 + 87) // 2),
        (("1", "1Gi"), ("1", "4Gi"), (50 + 37) // 2),
        (("4", "8Gi"), ("0", "0"), 0),
        (("", ""), ("0", "0"), (97 + 97) // 2),
        (("5", "1Gi"), ("0", "0"), (0 + 87) // 2),
    ],
    ids=["empty node", "used node", "all of it", "defaults count when nothing is requested", "more than there is"],
)
def test_nodes_with_more_left_over_are_liked_better(
    requests: tuple[str, str], used: tuple[str, str], expected: int
) -> None:
    there = node_info(node("a", "4", "8Gi"), pod_info("old", *used))
    assert scores(NodeResourcesFit(), pod_info("p", *requests), there) == [expected]


@pytest.mark.parametrize(
    ("requests", "used", "expected"),
    [
        (("1", "2Gi"), ("0", "0"), 75),
        (("2", "0"), ("0", "0"), 50 + (50 + 75 - 100) // 2),
        (("0", "4Gi"), ("2", "0"), 50 + (50 + 100 - 75) // 2),
        (("8", "8Gi"), ("0", "0"), 75),
    ],
    ids=["in proportion", "worse than before", "better than before", "shares count up to the whole"],
)
def test_nodes_whose_balance_gets_better_are_liked_better(
    requests: tuple[str, str], used: tuple[str, str], expected: int
) -> None:
    there = node_info(node("a", "4", "8Gi"), pod_info("old", *used))
    assert scores(BalancedAllocation(), pod_info("p", *requests), there) == [expected]


def test_balance_leaves_out_pods_that_request_nothing() -> None:
    snapshot = PlainSnapshot([node_info(node("a"))])
    cycle = Cycle(Surroundings(), snapshot)  # type: ignore[arg-type]
    assert BalancedAllocation().pre_score(cycle, pod_info(), Window.span(snapshot, 0, 1)) == SKIP


def test_soft_taints_make_nodes_less_liked() -> None:
    def tainted(name: str, *keys: str) -> NodeInfo:
        return node_info(node(name, taints=[{"key": key, "effect": "PreferNoSchedule"} for key in keys]))

    nodes = tainted("a"), tainted("b", "x"), tainted("c", "x", "y")
    assert scores(TaintToleration(), pod_info(), *nodes) == [100, 50, 0]
    tolerant = pod_info(tolerations=[{"key": "x", "operator": "Exists"}])
    assert scores(TaintToleration(), tolerant, *nodes) == [100, 100, 0]
    assert scores(TaintToleration(), pod_info(), tainted("d")) == [100]


def test_preferred_nodes_are_scored_by_weight() -> None:
    def preference(weight: int, value: str) -> Object:
        expression = {"key": "disk", "operator": "In", "values": [value]}
        return {"weight": weight, "preference": {"matchExpressions": [expression]}}

    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [preference(20, "ssd"), preference(50, "nvme")]}
    pod = pod_info(affinity={"nodeAffinity": preferred})
    nodes = [node_info(node(disk, labels={"disk": disk})) for disk in ("hdd", "ssd", "nvme")]
    assert scores(NodeAffinity(), pod, *nodes) == [0, 40, 100]


def test_nodes_that_have_the_image_are_liked_better() -> None:
    def having(name: str, *images: tuple[str, int]) -> NodeInfo:
        manifest = node(name)
        manifest["status"]["images"] = [{"names": [image], "sizeBytes": size} for image, size in images]
        return node_info(manifest)

    nodes = having("a", ("nginx:latest", 500 * MEGABYTE)), having("b")
    spread = 250 * MEGABYTE
    expected = 100 * (spread - 23 * MEGABYTE) // (977 * MEGABYTE)
    assert scores(ImageLocality(), pod_info(), *nodes) == [expected, 0]


@pytest.mark.parametrize(
    ("nodes", "expected"), [(1, 1), (99, 99), (100, 100), (150, 100), (1000, 420), (5000, 500), (10000, 500)]
)
def test_in_large_clusters_not_all_nodes_are_looked_for(nodes: int, expected: int) -> None:
    assert nodes_to_find(nodes) == expected


def test_dice_choose_among_the_best_only() -> None:
    dice = Random(1)
    chosen = {select([3, 7, 7, 1, 7], dice) for _ in range(100)}
    assert chosen == {1, 2, 4}


def test_dice_are_not_thrown_without_need() -> None:
    dice = Random(1)
    state = dice.getstate()
    assert select([1, 9, 3], dice) == 1
    assert dice.getstate() == state


def test_pods_go_where_most_is_left_over() -> None:
    world = World(node("node-a", "4", "8Gi"), node("node-b", "2", "4Gi"))
    assert [world.schedule(name, "1", "1Gi") for name in ("first", "second", "third")] == ["node-a", "node-a", "node-b"]


def test_same_seed_same_nodes() -> None:
    def places(seed: int) -> list[str]:
        world = World(*(node(f"n{number}") for number in range(5)), seed=seed)
        return [world.schedule(f"p{number}") for number in range(8)]

    assert places(7) == places(7)
    assert len({tuple(places(seed)) for seed in range(4)}) > 1


def test_the_search_goes_on_where_it_stopped() -> None:
    world = World(*(node(f"n{number:03}") for number in range(150)))
    for number in range(3):
        world.schedule(f"p{number}")
    decisions = [world.scheduler.explain(world.pod(f"p{number}")) for number in range(3)]
    first = [decision.nodes[0].node for decision in decisions if decision]
    assert first == ["n000", "n100", "n050"]
    assert [sum(row.looked_at for row in decision.nodes) for decision in decisions if decision] == [100, 100, 100]
