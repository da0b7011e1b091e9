"""What is owned goes with its owner, before it, or is let go."""

from __future__ import annotations

from controller_world import Object, World, deployment

from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, DEPLOYMENTS, PODS, REPLICASETS


def config_map(name: str, *owners: Object, blocking: bool = False, namespace: str = "default") -> Object:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": blocking,
        }
        for owner in owners
    ]
    metadata = {"name": name, "namespace": namespace, "ownerReferences": references}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def own_names(world: World, namespace: str = "default") -> list[str]:
    return [name for name in world.names(CONFIGMAPS, namespace) if name != "kube-root-ca.crt"]


def test_in_the_background_the_owner_goes_first(world: World) -> None:
    owner = world.create(config_map("owner"))
    world.create(config_map("child", owner))
    world.settle()
    world.delete(CONFIGMAPS, "owner", propagation="Background")
    assert own_names(world) == ["child"]
    world.settle()
    assert own_names(world) == []


def test_in_the_foreground_the_owner_waits_for_those_that_block_it(world: World) -> None:
    world.create(deployment(replicas=2))
    world.advance(5)
    world.delete(DEPLOYMENTS, "web", propagation="Foreground")
    waiting = world.get(DEPLOYMENTS, "web")["metadata"]
    assert waiting["finalizers"] == ["foregroundDeletion"] and "deletionTimestamp" in waiting
    world.advance(60)
    assert world.names(DEPLOYMENTS) == world.names(REPLICASETS) == world.names(PODS) == []


def test_dependents_that_do_not_block_are_not_waited_for(world: World) -> None:
    owner = world.create(config_map("owner"))
    child = config_map("child", owner)
    child["metadata"]["finalizers"] = ["example.com/keep"]
    world.create(child)
    world.settle()
    world.delete(CONFIGMAPS, "owner", propagation="Foreground")
    world.settle()
    assert own_names(world) == ["child"]


def test_orphaned_dependents_stay_and_forget_their_owner(world: World) -> None:
    owner = world.create(config_map("owner"))
    world.create(config_map("child", owner))
    world.settle()
    world.delete(CONFIGMAPS, "owner", propagation="Orphan")
    world.settle()
    assert own_names(world) == ["child"]
    assert "ownerReferences" not in world.get(CONFIGMAPS, "child")["metadata"]


def test_an_object_with_another_owner_stays(world: World) -> None:
    first, second = world.create(config_map("first")), world.create(config_map("second"))
    world.create(config_map("child", first, second))
    world.settle()
    world.delete(CONFIGMAPS, "first")
    world.settle()
    assert own_names(world) == ["child", "second"]
    (left,) = world.get(CONFIGMAPS, "child")["metadata"]["ownerReferences"]
    assert left["name"] == "second"


def test_an_object_whose_owner_never_was_is_collected(world: World) -> None:
    nobody = {"metadata": {"name": "nobody", "uid": "00000000-0000-0000-0000-000000000000"}}
    world.create(config_map("child", nobody))
    world.settle()
    assert own_names(world) == []


def test_an_owner_of_the_same_name_and_another_uid_is_another_owner(world: World) -> None:
    world.create(config_map("owner"))
    stranger = {"metadata": {"name": "owner", "uid": "00000000-0000-0000-0000-000000000000"}}
    world.create(config_map("child", stranger))
    world.settle()
    assert own_names(world) == ["owner"]


def test_an_owner_in_another_namespace_is_no_owner(world: World) -> None:
    owner = world.create(config_map("owner", namespace="kube-public"), "kube-public")
    world.create(config_map("child", owner))
    world.settle()
    assert own_names(world) == []
    assert [reason for reason, _ in world.events("ConfigMap")] == ["OwnerRefInvalidNamespace"]


def test_whole_families_go(world: World) -> None:
    owner = world.create(config_map("generation-0"))
    for number in range(1, 6):
        owner = world.create(config_map(f"generation-{number}", owner))
    world.settle()
    world.delete(CONFIGMAPS, "generation-0")
    world.settle()
    assert own_names(world) == []
