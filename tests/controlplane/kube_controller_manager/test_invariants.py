"""Whatever users and failures do, in the end every controller has what it wants or says why not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from controller_world import World, deployment, job, pod, service, workload

from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import (
    BY_KIND,
    DAEMONSETS,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICASETS,
    RESOURCEQUOTAS,
    SERVICES,
    STATEFULSETS,
    ResourceType,
)

Action = Callable[[World, random.Random], object]
WORKLOADS = (DEPLOYMENTS, REPLICASETS, STATEFULSETS, DAEMONSETS)
DELETED = (*WORKLOADS, JOBS, PODS, SERVICES, RESOURCEQUOTAS)


def name(dice: random.Random) -> str:
    return f"x{dice.randint(0, 3)}"


def some(world: World, dice: random.Random, kinds: tuple[ResourceType, ...]) -> tuple[ResourceType, str]:
    kind = dice.choice(kinds)
    return kind, dice.choice(world.names(kind) or ["nobody"])


def create_workload(world: World, dice: random.Random) -> object:
    kind, image = dice.choice(WORKLOADS).kind, dice.choice(["nginx:1.27", "nginx:9.99"])
    more = {} if kind == "DaemonSet" else {"replicas": dice.randint(0, 4)}
    more |= {"serviceName": "x"} if kind == "StatefulSet" else {}
    return world.create(workload(kind, name(dice), dice.choice(["a", "b"]), image, **more))


def create_job(world: World, dice: random.Random) -> object:
    command = dice.choice([("true",), ("false",), ("sleep", "20")])
    return world.create(job(name(dice), *command, completions=3, parallelism=2, backoffLimit=2))


def create_quota(world: World, dice: random.Random) -> object:
    spec = {"hard": {"pods": str(dice.randint(3, 15))}}
    return world.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name(dice)}, "spec": spec})


def delete(world: World, dice: random.Random) -> object:
    return world.delete(*some(world, dice, DELETED), propagation=dice.choice(["Background", "Foreground", "Orphan"]))


def resize(world: World, dice: random.Random) -> object:
    return world.patch(*some(world, dice, WORKLOADS[:3]), {"spec": {"replicas": dice.randint(0, 5)}})


def new_image(world: World, dice: random.Random) -> object:
    container = {"name": "c", "image": dice.choice(["nginx:1.27", "nginx:1.28"])}
    return world.patch(*some(world, dice, WORKLOADS), {"spec": {"template": {"spec": {"containers": [container]}}}})


def taint(world: World, dice: random.Random) -> object:
    taints = dice.choice([None, [{"key": "k", "effect": "NoExecute"}]])
    return world.patch(NODES, "worker-1", {"spec": {"taints": taints, "unschedulable": dice.choice([True, False])}})


def namespace(world: World, dice: random.Random) -> object:
    if "dev" in world.names(NAMESPACES, ""):
        return world.delete(NAMESPACES, "dev", "")
    world.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dev"}}, "")
    return world.create(deployment(replicas=1), "dev")


ACTIONS: tuple[Action, ...] = (
    create_workload,
    create_workload,
    create_job,
    create_quota,
    delete,
    delete,
    resize,
    new_image,
    taint,
    namespace,
    lambda world, dice: world.create(service(name(dice), dice.choice(["a", "b"]))),
    lambda world, dice: world.create(pod(name(dice), {"app": dice.choice(["a", "b"])})),
    lambda world, dice: world.patch(*some(world, dice, (PODS,)), {"metadata": {"labels": {"app": "c"}}}),
    lambda world, dice: world.cluster.power_off("worker-2"),
    lambda world, dice: world.cluster.power_on("worker-2"),
    lambda world, dice: world.cluster.stop("kube-controller-manager"),
    lambda world, dice: world.cluster.start("kube-controller-manager"),
)


@pytest.mark.parametrize("seed", range(6))
def test_after_any_turmoil_all_is_as_wanted(world: World, seed: int) -> None:
    dice = random.Random(seed)
    for step in range(30):
        try:
            dice.choice(ACTIONS)(world, dice)
        except StatusError:
            continue  # What the API refuses is not done.
        world.advance(dice.choice([0, 0.5, 3, 30]))
        if step == 15:
            forks = [world.fork(), world.fork()]
            for twin in forks:
                twin.advance(20)
            assert forks[0].bytes() == forks[1].bytes()
    world.cluster.start("kube-controller-manager")
    world.cluster.power_on("worker-2")
    world.advance(700)
    _check(world)


def _check(world: World) -> None:
    for kind in (DEPLOYMENTS, REPLICASETS, STATEFULSETS, DAEMONSETS):
        for one in world.list(kind):
            assert one["status"]["observedGeneration"] == one["metadata"]["generation"]
    for one in world.list(REPLICASETS):
        as_wanted = one["status"]["replicas"] == one["spec"]["replicas"]
        assert as_wanted or world.condition(REPLICASETS, one["metadata"]["name"], "ReplicaFailure")[0] == "True"
    for one in world.pods():
        assert "deletionTimestamp" not in one["metadata"]
        for owner in one["metadata"].get("ownerReferences", []):
            assert owner["name"] in world.names(BY_KIND[owner["apiVersion"], owner["kind"]])
    live = sum(one["status"]["phase"] not in ("Succeeded", "Failed") for one in world.pods())
    for one in world.list(RESOURCEQUOTAS):
        assert one["status"]["used"]["pods"] == str(live)
