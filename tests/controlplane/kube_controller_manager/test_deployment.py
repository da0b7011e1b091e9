"""A Deployment rolls out, rolls back, rests, scales and gives up, as Kubernetes does it."""

from __future__ import annotations

import pytest
from controller_world import World, deployment, template

from autograder.controlplane.apimachinery.scheme import DEPLOYMENTS, PODS, REPLICASETS, RESOURCEQUOTAS
from autograder.controlplane.kube_controller_manager.deployment import arithmetic

REVISION = "deployment.kubernetes.io/revision"
SCALED = "Scaled {} replica set {} from {} to {}"


def revisions(world: World) -> dict[str, int]:
    """Revision -> size of its ReplicaSet."""
    return {one["metadata"]["annotations"][REVISION]: one["spec"]["replicas"] for one in world.list(REPLICASETS)}


def set_names(world: World) -> dict[str, str]:
    return {one["metadata"]["annotations"][REVISION]: one["metadata"]["name"] for one in world.list(REPLICASETS)}


def test_becomes_available(world: World) -> None:
    world.create(deployment(replicas=3))
    world.advance(5)
    status = world.get(DEPLOYMENTS, "web")["status"]
    counts = {field: status[field] for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    assert set(counts.values()) == {3}
    assert status["observedGeneration"] == 1
    assert status["terminatingReplicas"] == 0
    assert "unavailableReplicas" not in status
    assert world.condition(DEPLOYMENTS, "web", "Available") == ("True", "MinimumReplicasAvailable")
    assert world.condition(DEPLOYMENTS, "web", "Progressing") == ("True", "NewReplicaSetAvailable")


def test_names_its_replica_set_by_the_hash_of_the_template(world: World) -> None:
    world.create(deployment(replicas=1))
    world.advance(5)
    (owned,) = world.list(REPLICASETS)
    digest = owned["metadata"]["labels"]["pod-template-hash"]
    assert owned["metadata"]["name"] == f"web-{digest}"
    assert owned["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": digest}
    assert owned["metadata"]["ownerReferences"][0]["name"] == "web"
    (running,) = world.pods()
    assert running["metadata"]["name"].startswith(f"web-{digest}-")
    assert running["metadata"]["labels"]["pod-template-hash"] == digest


def test_rolls_three_pods_one_by_one(world: World) -> None:
    world.create(deployment(replicas=3))
    world.advance(5)
    world.roll_out("nginx:1.28")
    world.advance(20)
    names = set_names(world)
    steps = [message for reason, message in world.events("Deployment") if reason == "ScalingReplicaSet"]
    assert steps == [
        SCALED.format("up", names["1"], 0, 3),
        SCALED.format("up", names["2"], 0, 1),
        SCALED.format("down", names["1"], 3, 2),
        SCALED.format("up", names["2"], 1, 2),
        SCALED.format("down", names["1"], 2, 1),
        SCALED.format("up", names["2"], 2, 3),
        SCALED.format("down", names["1"], 1, 0),
    ]


def test_never_has_fewer_available_pods_than_promised(world: World) -> None:
    world.create(deployment(replicas=4, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}))
    world.advance(5)
    world.roll_out("nginx:1.28")
    for _ in range(300):
        status = world.get(DEPLOYMENTS, "web")["status"]
        assert status.get("availableReplicas", 0) >= 4
        assert status.get("replicas", 0) <= 5
        world.advance(0.1)
    assert revisions(world) == {"1": 0, "2": 4}


def test_undo_gives_the_old_replica_set_a_new_revision(world: World) -> None:
    world.create(deployment(replicas=2))
    world.advance(5)
    world.roll_out("nginx:1.28")
    world.advance(10)
    first = set_names(world)["1"]
    world.roll_out("nginx:1.27")
    world.advance(10)
    assert revisions(world) == {"2": 0, "3": 2}
    assert set_names(world)["3"] == first
    annotations = world.get(REPLICASETS, first)["metadata"]["annotations"]
    assert annotations["deployment.kubernetes.io/revision-history"] == "1"
    assert world.get(DEPLOYMENTS, "web")["metadata"]["annotations"][REVISION] == "3"


def test_the_deprecated_annotation_rolls_back(world: World) -> None:
    world.create(deployment(replicas=1))
    world.advance(5)
    world.roll_out("nginx:1.28")
    world.advance(10)
    world.patch(DEPLOYMENTS, "web", {"metadata": {"annotations": {"deprecated.deployment.rollback.to": "1"}}})
    world.advance(10)
    found = world.get(DEPLOYMENTS, "web")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1.27"
    assert "deprecated.deployment.rollback.to" not in found["metadata"]["annotations"]
    assert ("DeploymentRollback", 'Rolled back deployment "web" to revision 1') in world.events("Deployment")


def test_annotations_that_are_no_numbers_are_as_good_as_none(world: World) -> None:
    endless = "9" * 5000
    asked = {"deprecated.deployment.rollback.to": endless}
    world.create(deployment(replicas=2) | {"metadata": {"name": "web", "annotations": asked}})
    world.advance(5)
    (name,) = world.names(REPLICASETS)
    noted = dict.fromkeys(("desired-replicas", "max-replicas", "revision"), endless)
    annotations = {f"deployment.kubernetes.io/{key}": value for key, value in noted.items()}
    world.patch(REPLICASETS, name, {"metadata": {"annotations": annotations}})
    world.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 3}})
    world.advance(10)
    assert world.get(DEPLOYMENTS, "web")["status"]["readyReplicas"] == 3


def test_paused_it_scales_and_does_not_roll(world: World) -> None:
    world.create(deployment(replicas=2))
    world.advance(5)
    world.patch(DEPLOYMENTS, "web", {"spec": {"paused": True}})
    world.roll_out("nginx:1.28")
    world.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 3}})
    world.advance(10)
    assert revisions(world) == {"1": 3}
    assert "updatedReplicas" not in world.get(DEPLOYMENTS, "web")["status"]
    assert world.condition(DEPLOYMENTS, "web", "Progressing") == ("Unknown", "DeploymentPaused")
    world.patch(DEPLOYMENTS, "web", {"spec": {"paused": False}})
    world.advance(10)
    assert revisions(world) == {"1": 0, "2": 3}
    assert world.condition(DEPLOYMENTS, "web", "Progressing") == ("True", "NewReplicaSetAvailable")


def test_recreate_lets_the_old_pods_go_first(world: World) -> None:
    world.create(deployment(replicas=2, strategy={"type": "Recreate"}))
    world.advance(5)
    world.roll_out("nginx:1.28")
    both = False
    for _ in range(400):
        hashes = {one["metadata"]["labels"]["pod-template-hash"] for one in world.pods()}
        both |= len(hashes) > 1
        world.advance(0.1)
    assert not both
    assert revisions(world) == {"1": 0, "2": 2}
    assert world.condition(DEPLOYMENTS, "web", "Available") == ("True", "MinimumReplicasAvailable")


def test_gives_up_at_the_progress_deadline(world: World) -> None:
    world.create(deployment(replicas=1, image="nginx:9.99", progressDeadlineSeconds=30))
    world.advance(25)
    assert world.condition(DEPLOYMENTS, "web", "Progressing") == ("True", "ReplicaSetUpdated")
    world.advance(10)
    assert world.condition(DEPLOYMENTS, "web", "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert world.condition(DEPLOYMENTS, "web", "Available") == ("False", "MinimumReplicasUnavailable")


def test_a_bad_image_leaves_most_old_pods_in_place(world: World) -> None:
    world.create(deployment(replicas=4))
    world.advance(5)
    world.roll_out("nginx:9.99")
    world.advance(60)
    assert revisions(world) == {"1": 3, "2": 2}
    assert world.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 3


def test_waits_until_new_pods_have_been_ready_for_long_enough(world: World) -> None:
    world.create(deployment(replicas=1, minReadySeconds=20))
    world.advance(10)
    assert world.get(DEPLOYMENTS, "web")["status"].get("availableReplicas", 0) == 0
    world.advance(15)
    assert world.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 1


def test_scaled_in_the_middle_of_a_rollout_every_part_grows(world: World) -> None:
    world.create(deployment(replicas=10, strategy={"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}))
    world.advance(10)
    world.roll_out("nginx:9.99")
    world.advance(10)
    assert revisions(world) == {"1": 8, "2": 5}
    world.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 15}})
    world.advance(10)
    assert revisions(world) == {"1": 11, "2": 7}


def test_keeps_as_many_old_replica_sets_as_asked(world: World) -> None:
    world.create(deployment(replicas=1, revisionHistoryLimit=1))
    for image in ("nginx:1.25", "nginx:1.26", "nginx:1.28"):
        world.advance(10)
        world.roll_out(image)
    world.advance(10)
    assert revisions(world) == {"3": 0, "4": 1}


def test_quota_refusal_shows_in_conditions_and_events(world: World) -> None:
    hard = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "2"}}}
    world.create(hard)
    world.advance(1)
    world.create(deployment(replicas=3))
    world.advance(5)
    assert len(world.pods()) == 2
    assert world.condition(DEPLOYMENTS, "web", "ReplicaFailure") == ("True", "FailedCreate")
    refusals = [message for reason, message in world.events("ReplicaSet") if reason == "FailedCreate"]
    assert all("exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2" in text for text in refusals)
    assert refusals
    world.delete(RESOURCEQUOTAS, "few")
    world.advance(600)
    assert world.condition(DEPLOYMENTS, "web", "ReplicaFailure") == ("", "")
    assert world.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 3


def test_adopts_a_matching_replica_set_instead_of_making_one(world: World) -> None:
    labels = {"app": "web"}
    orphan = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "mine", "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template()},
    }
    world.create(orphan)
    world.advance(5)
    before = world.names(PODS)
    world.create(deployment(replicas=1))
    world.advance(5)
    (owned,) = world.list(REPLICASETS)
    assert owned["metadata"]["name"] == "mine"
    assert owned["metadata"]["ownerReferences"][0]["kind"] == "Deployment"
    assert world.names(PODS) == before


def test_deleted_it_takes_everything_along(world: World) -> None:
    world.create(deployment(replicas=2))
    world.advance(5)
    world.delete(DEPLOYMENTS, "web")
    world.advance(60)
    assert world.names(REPLICASETS) == []
    assert world.names(PODS) == []


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (3, "25%", "25%", (1, 0)),
        (4, "25%", "25%", (1, 1)),
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (5, 0, "10%", (0, 1)),
        (2, "100%", 0, (2, 0)),
    ],
)
def test_percentages_round_up_for_surge_and_down_for_unavailable(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    found = deployment(replicas=replicas, strategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    assert arithmetic.fenceposts(found) == expected


def test_conditions_that_somebody_has_cut_short_stop_no_rollout(world: World) -> None:
    world.create(deployment(replicas=1))
    world.advance(5)
    found = world.get(DEPLOYMENTS, "web")
    short = [{"type": kind, "status": "True"} for kind in ("Progressing", "Available")]
    world.client.update(DEPLOYMENTS, {**found, "status": {**found["status"], "conditions": short}}, "status")
    world.roll_out("nginx:1.28")
    world.advance(10)
    assert world.condition(DEPLOYMENTS, "web", "Progressing") == ("True", "NewReplicaSetAvailable")
