"""A quota's status says what its namespace uses, whatever happens to it."""

from __future__ import annotations

import pytest
from controller_world import World, pod, service

from autograder.controlplane.apimachinery.errors import Forbidden
from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, PODS, RESOURCEQUOTAS, SERVICES


def quota(**hard: str) -> dict[str, object]:
    names = {name.replace("__", "/").replace("_", "."): amount for name, amount in hard.items()}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": names}}


def sized(name: str, cpu: str, memory: str, **spec: object) -> dict[str, object]:
    manifest = pod(name, **spec)
    amounts = {"cpu": cpu, "memory": memory}
    manifest["spec"]["containers"][0]["resources"] = {"requests": amounts, "limits": amounts}
    return manifest


def used(world: World) -> dict[str, str]:
    found: dict[str, str] = world.get(RESOURCEQUOTAS, "q")["status"]["used"]
    return found


def test_counts_what_was_there_before(world: World) -> None:
    world.create(sized("a", "250m", "128Mi"))
    world.create(quota(pods="5", requests_cpu="1", requests_memory="1Gi", limits_cpu="2"))
    world.settle()
    assert used(world) == {"limits.cpu": "250m", "pods": "1", "requests.cpu": "250m", "requests.memory": "128Mi"}
    assert world.get(RESOURCEQUOTAS, "q")["status"]["hard"]["requests.memory"] == "1Gi"


def test_gives_back_what_a_deleted_or_finished_pod_used(world: World) -> None:
    world.create(quota(pods="3", requests_cpu="1"))
    world.settle()
    world.create(sized("stays", "100m", "64Mi"))
    world.create(sized("goes", "200m", "64Mi"))
    ends = sized("ends", "300m", "64Mi", image="busybox:1.36", restartPolicy="Never")
    ends["spec"]["containers"][0]["command"] = ["true"]  # type: ignore[index]
    world.create(ends)
    assert used(world) == {"pods": "3", "requests.cpu": "600m"}
    world.advance(10)
    assert used(world) == {"pods": "2", "requests.cpu": "300m"}
    world.delete(PODS, "goes")
    world.advance(60)
    assert used(world) == {"pods": "1", "requests.cpu": "100m"}


def test_takes_over_changed_limits(world: World) -> None:
    world.create(quota(pods="1"))
    world.settle()
    world.create(pod("one"))
    with pytest.raises(Forbidden, match="exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"):
        world.create(pod("two"))
    world.patch(RESOURCEQUOTAS, "q", {"spec": {"hard": {"pods": "2"}}})
    world.settle()
    world.create(pod("two"))
    assert used(world) == {"pods": "2"}


def test_counts_objects_of_any_kind(world: World) -> None:
    world.create(quota(count__configmaps="9", services="3", services_nodeports="1"))
    world.settle()
    assert used(world) == {"count/configmaps": "1", "services": "1", "services.nodeports": "0"}
    world.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}})
    world.create(service(type="NodePort"))
    world.settle()
    assert used(world) == {"count/configmaps": "2", "services": "2", "services.nodeports": "1"}
    world.delete(CONFIGMAPS, "mine")
    world.delete(SERVICES, "web")
    world.settle()
    assert used(world) == {"count/configmaps": "1", "services": "1", "services.nodeports": "0"}


def test_a_scope_leaves_other_pods_out(world: World) -> None:
    manifest = quota(pods="2")
    manifest["spec"]["scopes"] = ["BestEffort"]  # type: ignore[index]
    world.create(manifest)
    world.settle()
    world.create(pod("plain"))
    world.create(sized("sized", "100m", "64Mi"))
    world.settle()
    assert used(world) == {"pods": "1"}
