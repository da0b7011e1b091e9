"""Claims find volumes, keep them, and give them back."""

from __future__ import annotations

from typing import Any

import pytest
from controller_world import Object, World, pod

from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS


def volume(name: str, size: str = "1Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), **spec: Any) -> Object:
    body = {"capacity": {"storage": size}, "accessModes": list(modes), "hostPath": {"path": f"/data/{name}"}, **spec}
    metadata = {"name": name, "labels": {"disk": name}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": body}


def claim(name: str = "c", size: str = "1Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), **spec: Any) -> Object:
    body = {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": body}


def user(name: str, claim_name: str) -> Object:
    manifest = pod(name, volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}])
    manifest["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return manifest


def phases(world: World) -> dict[str, str]:
    return {one["metadata"]["name"]: one["status"]["phase"] for one in world.list(PERSISTENTVOLUMES, "")}


def test_takes_the_smallest_volume_that_fits(world: World) -> None:
    for name, size in (("large", "9Gi"), ("small", "1Gi"), ("right", "3Gi")):
        world.create(volume(name, size), "")
    world.create(claim(size="2Gi"))
    world.settle()
    bound = world.get(PERSISTENTVOLUMECLAIMS, "c")
    assert bound["spec"]["volumeName"] == "right"
    assert bound["status"] == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "3Gi"}}
    assert bound["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"
    assert phases(world) == {"large": "Available", "right": "Bound", "small": "Available"}
    assert world.get(PERSISTENTVOLUMES, "right", "")["spec"]["claimRef"]["name"] == "c"


@pytest.mark.parametrize(
    "offer",
    [
        volume("v", "500Mi"),
        volume("v", modes=("ReadOnlyMany",)),
        volume("v", storageClassName="slow"),
        volume("v", volumeMode="Block"),
        volume("v", claimRef={"namespace": "default", "name": "other"}),
    ],
    ids=["too small", "other mode", "other class", "block", "reserved"],
)
def test_waits_while_nothing_fits(world: World, offer: Object) -> None:
    world.create(offer, "")
    world.create(claim())
    world.settle()
    assert world.get(PERSISTENTVOLUMECLAIMS, "c")["status"]["phase"] == "Pending"
    text = "no persistent volumes available for this claim and no storage class is set"
    assert world.events("PersistentVolumeClaim") == [("FailedBinding", text)]
    world.create(volume("fits"), "")
    world.settle()
    assert world.get(PERSISTENTVOLUMECLAIMS, "c")["spec"]["volumeName"] == "fits"


def test_a_selector_and_a_name_choose(world: World) -> None:
    for name in ("a", "b", "d"):
        world.create(volume(name), "")
    world.create(claim("by-label", selector={"matchLabels": {"disk": "b"}}))
    world.create(claim("by-name", volumeName="d"))
    world.settle()
    assert world.get(PERSISTENTVOLUMECLAIMS, "by-label")["spec"]["volumeName"] == "b"
    assert world.get(PERSISTENTVOLUMECLAIMS, "by-name")["status"]["phase"] == "Bound"


def test_a_late_class_waits_for_the_first_pod(world: World) -> None:
    late = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "late"},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    world.create(late, "")
    world.create(volume("v", storageClassName="late"), "")
    world.create(claim(storageClassName="late"))
    world.settle()
    assert world.get(PERSISTENTVOLUMECLAIMS, "c")["status"]["phase"] == "Pending"
    assert world.events("PersistentVolumeClaim")[0][0] == "WaitForFirstConsumer"
    world.create(user("first", "c"))
    world.advance(30)
    assert world.get(PERSISTENTVOLUMECLAIMS, "c")["status"]["phase"] == "Bound"
    assert world.get(PODS, "first")["status"]["phase"] == "Running"


def test_a_claim_stays_while_a_pod_uses_it(world: World) -> None:
    world.create(volume("v"), "")
    world.create(claim())
    world.create(user("user", "c"))
    world.advance(10)
    world.delete(PERSISTENTVOLUMECLAIMS, "c")
    world.advance(60)
    assert "deletionTimestamp" in world.get(PERSISTENTVOLUMECLAIMS, "c")["metadata"]
    world.delete(PODS, "user")
    world.advance(60)
    assert world.names(PERSISTENTVOLUMECLAIMS) == []
    assert phases(world) == {"v": "Released"}


@pytest.mark.parametrize(
    ("path", "left"), [("/tmp/disk", {}), ("/data/disk", {"v": "Failed"})], ids=["deletable", "not deletable"]
)
def test_a_volume_is_deleted_with_its_claim_if_it_can_be(world: World, path: str, left: dict[str, str]) -> None:
    world.create(volume("v", persistentVolumeReclaimPolicy="Delete", hostPath={"path": path}), "")
    world.create(claim())
    world.settle()
    world.delete(PERSISTENTVOLUMECLAIMS, "c")
    world.settle()
    assert phases(world) == left


def test_a_released_volume_is_not_given_to_another_claim(world: World) -> None:
    world.create(volume("v"), "")
    world.create(claim("first"))
    world.settle()
    world.delete(PERSISTENTVOLUMECLAIMS, "first")
    world.create(claim("second"))
    world.advance(30)
    assert phases(world) == {"v": "Released"}
    assert world.get(PERSISTENTVOLUMECLAIMS, "second")["status"]["phase"] == "Pending"


def test_a_claim_whose_volume_is_gone_is_lost(world: World) -> None:
    world.create(volume("v"), "")
    world.create(claim())
    world.settle()
    world.delete(PERSISTENTVOLUMES, "v", "")
    assert "deletionTimestamp" in world.get(PERSISTENTVOLUMES, "v", "")["metadata"]
    patch = {"metadata": {"finalizers": None}}
    world.client.patch(PERSISTENTVOLUMES, "", "v", patch, patch_type="application/merge-patch+json")
    world.settle()
    assert world.get(PERSISTENTVOLUMECLAIMS, "c")["status"]["phase"] == "Lost"
    assert world.events("PersistentVolumeClaim")[-1][0] == "ClaimLost"
