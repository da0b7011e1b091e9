"""A fork taken in the middle of anything goes on exactly as its parent does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from controller_world import World, deployment, job, pod, service, workload

from autograder.controlplane.apimachinery.scheme import DAEMONSETS, DEPLOYMENTS, NAMESPACES, NODES, STATEFULSETS

CONTAINER = {"name": "c", "image": "nginx:1.28"}
NEW_IMAGE = {"spec": {"template": {"spec": {"containers": [CONTAINER]}}}}


def rolling(world: World) -> None:
    world.create(service())
    world.create(deployment(replicas=4, minReadySeconds=3))
    world.advance(20)
    world.roll_out("nginx:1.28")


def stuck(world: World) -> None:
    world.create(deployment(replicas=3, image="nginx:9.99", progressDeadlineSeconds=20))


def refused(world: World) -> None:
    hard = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}}
    world.create(hard)
    world.create(deployment(replicas=4))


def sets(world: World) -> None:
    world.create(workload("StatefulSet", "db", "db", serviceName="db", replicas=3))
    world.create(workload("DaemonSet", "agent", "agent"))
    world.advance(20)
    world.patch(STATEFULSETS, "db", NEW_IMAGE)
    world.patch(DAEMONSETS, "agent", NEW_IMAGE)


def jobs(world: World) -> None:
    world.create(job("bad", "false", backoffLimit=3))
    world.create(job("many", "sleep", "5", completions=5, parallelism=2, completionMode="Indexed"))


def dark_node(world: World) -> None:
    world.create(deployment(replicas=4))
    world.advance(5)
    world.cluster.power_off("worker-1")
    world.advance(60)


def tainted(world: World) -> None:
    toleration = {"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 15}
    world.create(pod("guest", nodeName="worker-1", tolerations=[toleration]))
    world.advance(5)
    world.patch(NODES, "worker-1", {"spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}})


def leaving(world: World) -> None:
    world.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dev"}}, "")
    world.settle()
    world.create(deployment(replicas=2), "dev")
    world.advance(5)
    world.delete(NAMESPACES, "dev", "")


@pytest.mark.parametrize("scene", [rolling, stuck, refused, sets, jobs, dark_node, tainted, leaving])
@pytest.mark.parametrize("moment", [0.0, 0.4, 2.5])
def test_parent_and_fork_end_in_the_same_bytes(world: World, scene: Callable[[World], None], moment: float) -> None:
    scene(world)
    world.advance(moment)
    twin = world.fork()
    world.advance(40)
    twin.advance(40)
    assert world.bytes() == twin.bytes()


def test_what_happens_in_a_fork_stays_there(world: World) -> None:
    rolling(world)
    before = world.bytes()
    twin = world.fork()
    twin.delete(DEPLOYMENTS, "web")
    twin.advance(60)
    assert world.bytes() == before
    assert twin.names(DEPLOYMENTS) == []
