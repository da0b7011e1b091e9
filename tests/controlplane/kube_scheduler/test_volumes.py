"""Pods go where their volumes can be used."""

from __future__ import annotations

from typing import Any

import pytest
from scheduling_world import Object, World, node

from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, resource

STORAGECLASSES = resource("storageclasses", "storage.k8s.io")
ZONE = "topology.kubernetes.io/zone"
DATA = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]


@pytest.fixture
def world() -> World:
    return World(node("a", labels={ZONE: "za"}), node("b", labels={ZONE: "zb"}))


def volume(name: str, *, labels: Object | None = None, zone: str = "", storage: str = "1Gi", **spec: Any) -> Object:
    if zone:
        expression = {"key": ZONE, "operator": "In", "values": [zone]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "capacity": {"storage": storage},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/data"},
            **spec,
        },
    }


def claim(*, bound_to: str = "", modes: tuple[str, ...] = ("ReadWriteOnce",), **spec: Any) -> Object:
    annotations = {"pv.kubernetes.io/bind-completed": "yes"} if bound_to else {}
    if bound_to:
        spec["volumeName"] = bound_to
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default", "annotations": annotations},
        "spec": {"accessModes": list(modes), "resources": {"requests": {"storage": "1Gi"}}, **spec},
    }


def late_class(provisioner: str) -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "late"},
        "provisioner": provisioner,
        "volumeBindingMode": "WaitForFirstConsumer",
    }


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ({"zone": "zb"}, "1 node(s) didn't match PersistentVolume's node affinity"),
        ({"labels": {ZONE: "zb"}}, "1 node(s) had no available volume zone"),
    ],
)
def test_a_bound_volume_draws_its_pods(world: World, where: Object, reason: str) -> None:
    world.create(PERSISTENTVOLUMES, volume("pv", **where))
    world.create(PERSISTENTVOLUMECLAIMS, claim(bound_to="pv"))
    assert world.schedule("p", volumes=DATA) == "b"
    assert world.schedule("q", volumes=DATA, nodeSelector={"kubernetes.io/hostname": "a"}) == ""
    assert reason in world.message("q")


def test_a_claim_whose_volume_is_gone_keeps_its_pods_waiting(world: World) -> None:
    world.create(PERSISTENTVOLUMECLAIMS, claim(bound_to="pv"))
    assert world.schedule("p", volumes=DATA) == ""
    assert world.message("p") == '0/2 nodes are available: persistentvolume "pv" not found. not found'


def test_a_pod_is_tried_again_when_its_claim_comes(world: World) -> None:
    assert world.schedule("p", volumes=DATA) == ""
    world.create(PERSISTENTVOLUMES, volume("pv", zone="za"))
    world.create(PERSISTENTVOLUMECLAIMS, claim(bound_to="pv"))
    assert world.node_of("p") == "a"


def test_a_claim_of_one_pod_only_is_not_shared(world: World) -> None:
    world.create(PERSISTENTVOLUMES, volume("pv"))
    world.create(PERSISTENTVOLUMECLAIMS, claim(bound_to="pv", modes=("ReadWriteOncePod",)))
    assert world.schedule("first", volumes=DATA)
    assert world.schedule("second", volumes=DATA) == ""
    assert (
        "2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by "
        "another pod" in world.message("second")
    )
    world.delete("first")
    assert world.node_of("second")


def test_a_late_claim_without_a_volume_finds_no_node(world: World) -> None:
    world.create(STORAGECLASSES, late_class("kubernetes.io/no-provisioner"))
    world.create(PERSISTENTVOLUMECLAIMS, claim(storageClassName="late"))
    assert world.schedule("p", volumes=DATA) == ""
    assert "2 node(s) didn't find available persistent volumes to bind" in world.message("p")


def test_a_late_claim_is_given_a_node_to_be_provisioned_on(world: World) -> None:
    world.create(STORAGECLASSES, late_class("example.com/disks"))
    world.create(PERSISTENTVOLUMECLAIMS, claim(storageClassName="late"))
    world.schedule("p", volumes=DATA)
    found = world.admin.get(PERSISTENTVOLUMECLAIMS, "default", "data")
    assert found["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] in ("a", "b")


def test_disks_are_mounted_once() -> None:
    world = World(node("a"))
    disk = [{"name": "d", "awsElasticBlockStore": {"volumeID": "v1"}}]
    assert world.schedule("first", volumes=disk) == "a"
    assert world.schedule("second", volumes=disk) == ""
    assert "1 node(s) had no available disk" in world.message("second")
