"""Namespaces come with an account and a certificate, and go when they are empty."""

from __future__ import annotations

import pytest
from controller_world import World, deployment, pod

from autograder.controlplane.apimachinery.errors import Forbidden, Invalid, NotFound
from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, NAMESPACES, PODS, SERVICEACCOUNTS
from autograder.controlplane.kube_controller_manager.rootcacertpublisher import CERTIFICATE


def namespace(world: World, name: str = "dev") -> None:
    world.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "")
    world.settle()


def conditions(world: World) -> dict[str, tuple[str, str]]:
    status = world.get(NAMESPACES, "dev", "")["status"]
    return {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


def test_a_new_namespace_gets_an_account_and_the_root_certificate(world: World) -> None:
    namespace(world)
    assert world.names(SERVICEACCOUNTS, "dev") == ["default"]
    assert world.get(CONFIGMAPS, "kube-root-ca.crt", "dev")["data"] == {"ca.crt": CERTIFICATE}


def test_both_come_back_when_they_are_deleted_or_changed(world: World) -> None:
    namespace(world)
    world.delete(SERVICEACCOUNTS, "default", "dev")
    world.client.patch(CONFIGMAPS, "dev", "kube-root-ca.crt", {"data": {"ca.crt": "forged"}})
    world.settle()
    assert world.names(SERVICEACCOUNTS, "dev") == ["default"]
    assert world.get(CONFIGMAPS, "kube-root-ca.crt", "dev")["data"] == {"ca.crt": CERTIFICATE}


def test_deleted_it_takes_everything_along(world: World) -> None:
    namespace(world)
    world.create(deployment(replicas=2), "dev")
    world.advance(5)
    world.delete(NAMESPACES, "dev", "")
    assert world.get(NAMESPACES, "dev", "")["status"]["phase"] == "Terminating"
    world.advance(120)
    with pytest.raises(NotFound):
        world.get(NAMESPACES, "dev", "")
    left = list(world.cluster.store.keys())
    assert not [key for key in left if "/dev/" in key]


def test_nothing_new_comes_into_a_namespace_that_is_going(world: World) -> None:
    namespace(world)
    world.create(pod("early"), "dev")
    world.delete(NAMESPACES, "dev", "")
    with pytest.raises(Forbidden, match="because it is being terminated"):
        world.create(pod("late"), "dev")


def test_a_finalizer_holds_it_up_and_the_conditions_say_so(world: World) -> None:
    namespace(world)
    held = {"name": "held", "finalizers": ["example.com/keep"]}
    world.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held}, "dev")
    world.delete(NAMESPACES, "dev", "")
    world.advance(60)
    found = conditions(world)
    assert found["NamespaceContentRemaining"] == ("True", "SomeResourcesRemain")
    assert found["NamespaceFinalizersRemaining"] == ("True", "SomeFinalizersRemain")
    assert found["NamespaceDeletionContentFailure"] == ("False", "ContentDeleted")
    assert world.names(SERVICEACCOUNTS, "dev") == []
    patch = {"metadata": {"finalizers": None}}
    world.client.patch(CONFIGMAPS, "dev", "held", patch, patch_type="application/merge-patch+json")
    world.advance(60)
    with pytest.raises(NotFound):
        world.get(NAMESPACES, "dev", "")


def test_pods_go_before_anything_that_they_may_need(world: World) -> None:
    namespace(world)
    slow = pod("slow", image="busybox:1.36")
    slow["spec"]["containers"][0]["command"] = ["sleep", "100000"]
    world.create(slow, "dev")
    world.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "needed"}}, "dev")
    world.advance(5)
    world.delete(NAMESPACES, "dev", "")
    world.advance(10)
    assert "deletionTimestamp" in world.get(PODS, "slow", "dev")["metadata"]
    assert "needed" in world.names(CONFIGMAPS, "dev")
    world.advance(60)
    with pytest.raises(NotFound):
        world.get(NAMESPACES, "dev", "")


def test_what_must_happen_before_a_namespace_may_go_has_a_name_with_a_domain(world: World) -> None:
    default = world.get(NAMESPACES, "default", "")
    with pytest.raises(Invalid, match=r"spec.finalizers\[0\].*fully qualified"):
        world.client.update(NAMESPACES, {**default, "spec": {"finalizers": ["mine"]}}, "finalize")
