"""A StatefulSet has pods with lasting names, in order."""

from __future__ import annotations

from controller_world import World, stubborn, workload

from autograder.controlplane.apimachinery.scheme import (
    CONTROLLERREVISIONS,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    STATEFULSETS,
)


def database(replicas: int = 3, image: str = "nginx:1.27", **spec: object) -> dict[str, object]:
    return workload("StatefulSet", "db", "db", image, serviceName="db", replicas=replicas, **spec)


def new_image(world: World, **spec: object) -> None:
    container = {"name": "c", "image": "nginx:1.28"}
    world.patch(STATEFULSETS, "db", {"spec": {"template": {"spec": {"containers": [container]}}, **spec}})


def images(world: World) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in world.pods("app=db")}


def test_starts_pods_one_after_the_other(world: World) -> None:
    world.create(database())
    world.advance(0.1)
    assert world.names(PODS) == ["db-0"]
    world.advance(20)
    assert world.names(PODS) == ["db-0", "db-1", "db-2"]
    made = [pod["status"]["startTime"] for pod in world.pods("app=db")]
    assert made == sorted(made)
    assert world.events("StatefulSet")[0] == ("SuccessfulCreate", "Create Pod db-0 in StatefulSet db successful")


def test_in_parallel_it_starts_all_at_once(world: World) -> None:
    world.create(database(podManagementPolicy="Parallel"))
    world.advance(0.1)
    assert world.names(PODS) == ["db-0", "db-1", "db-2"]


def test_a_pod_that_does_not_get_ready_holds_up_the_next(world: World) -> None:
    world.create(database(image="nginx:9.99"))
    world.advance(60)
    assert world.names(PODS) == ["db-0"]


def test_pods_know_their_name_and_number(world: World) -> None:
    world.create(database(1, ordinals={"start": 5}))
    world.advance(5)
    (pod,) = world.pods("app=db")
    assert pod["metadata"]["name"] == pod["spec"]["hostname"] == "db-5"
    assert pod["metadata"]["generateName"] == "db-", "kubectl shows it, though the name is not drawn"
    assert pod["spec"]["subdomain"] == "db"
    assert pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "db-5"
    assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "5"


def test_a_deleted_pod_comes_back_under_its_name(world: World) -> None:
    world.create(database(2))
    world.advance(10)
    before = world.get(PODS, "db-0")["metadata"]["uid"]
    world.delete(PODS, "db-0")
    world.advance(60)
    assert world.names(PODS) == ["db-0", "db-1"]
    assert world.get(PODS, "db-0")["metadata"]["uid"] != before


def test_scales_down_from_the_end(world: World) -> None:
    world.create(database(3, template=stubborn("db")))
    world.advance(10)
    world.patch(STATEFULSETS, "db", {"spec": {"replicas": 1}})
    world.settle()
    leaving = [pod["metadata"]["name"] for pod in world.pods() if "deletionTimestamp" in pod["metadata"]]
    assert leaving == ["db-2"]
    world.advance(120)
    assert world.names(PODS) == ["db-0"]


def test_updates_from_the_end(world: World) -> None:
    world.create(database(3, template=stubborn("db")))
    world.advance(10)
    new_image(world)
    world.settle()
    leaving = [pod["metadata"]["name"] for pod in world.pods() if "deletionTimestamp" in pod["metadata"]]
    assert leaving == ["db-2"]
    world.advance(180)
    assert set(images(world).values()) == {"nginx:1.28"}
    status = world.get(STATEFULSETS, "db")["status"]
    assert status["currentRevision"] == status["updateRevision"]
    assert status["currentReplicas"] == status["updatedReplicas"] == 3


def test_a_partition_keeps_the_first_pods_as_they_are(world: World) -> None:
    world.create(database(3))
    world.advance(10)
    new_image(world, updateStrategy={"rollingUpdate": {"partition": 2}})
    world.advance(120)
    assert images(world) == {"db-0": "nginx:1.27", "db-1": "nginx:1.27", "db-2": "nginx:1.28"}
    world.delete(PODS, "db-0")
    world.advance(60)
    assert images(world)["db-0"] == "nginx:1.27"
    status = world.get(STATEFULSETS, "db")["status"]
    assert status["currentRevision"] != status["updateRevision"]


def test_every_pod_gets_its_own_claims_and_they_stay(world: World) -> None:
    template = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    world.create(database(2, podManagementPolicy="Parallel", volumeClaimTemplates=[template]))
    world.advance(5)
    assert world.names(PERSISTENTVOLUMECLAIMS) == ["data-db-0", "data-db-1"]
    (volume,) = [one for one in world.get(PODS, "db-1")["spec"]["volumes"] if one["name"] == "data"]
    assert volume["persistentVolumeClaim"]["claimName"] == "data-db-1"
    world.delete(STATEFULSETS, "db")
    world.advance(60)
    assert world.names(PODS) == []
    assert world.names(PERSISTENTVOLUMECLAIMS) == ["data-db-0", "data-db-1"]


def test_claims_go_with_the_set_if_the_policy_says_so(world: World) -> None:
    template = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
    parallel = {"podManagementPolicy": "Parallel", "persistentVolumeClaimRetentionPolicy": policy}
    world.create(database(1, volumeClaimTemplates=[template], **parallel))
    world.advance(5)
    (owner,) = world.get(PERSISTENTVOLUMECLAIMS, "data-db-0")["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["controller"], owner["blockOwnerDeletion"]) == ("StatefulSet", True, True)
    world.delete(STATEFULSETS, "db")
    world.advance(60)
    assert world.names(PERSISTENTVOLUMECLAIMS) == []


def test_a_revision_has_its_hash_as_a_label_of_its_own_and_a_pod_the_name_of_its_revision(world: World) -> None:
    world.create(database(1))
    world.advance(10)
    (revision,) = world.list(CONTROLLERREVISIONS)
    name = revision["metadata"]["name"]
    assert revision["metadata"]["labels"] == {"app": "db", "controller.kubernetes.io/hash": name.removeprefix("db-")}
    assert world.get(PODS, "db-0")["metadata"]["labels"]["controller-revision-hash"] == name


def test_the_same_template_again_is_the_same_revision(world: World) -> None:
    world.create(database(1))
    world.advance(10)
    first = world.get(STATEFULSETS, "db")["status"]["currentRevision"]
    new_image(world)
    world.advance(60)
    container = {"name": "c", "image": "nginx:1.27"}
    world.patch(STATEFULSETS, "db", {"spec": {"template": {"spec": {"containers": [container]}}}})
    world.advance(60)
    assert world.get(STATEFULSETS, "db")["status"]["currentRevision"] == first
    assert sorted(one["revision"] for one in world.list(CONTROLLERREVISIONS)) == [2, 3]


def test_goes_in_the_foreground_too(world: World) -> None:
    world.create(database(2, podManagementPolicy="Parallel"))
    world.advance(5)
    world.delete(STATEFULSETS, "db", propagation="Foreground")
    world.advance(60)
    assert world.names(STATEFULSETS) == world.names(PODS) == world.names(CONTROLLERREVISIONS) == []
