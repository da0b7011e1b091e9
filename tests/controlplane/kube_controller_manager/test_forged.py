"""Whatever somebody writes over what controllers have noted, they go on working."""

from __future__ import annotations

import pytest
from controller_world import World, workload

from autograder.controlplane.apimachinery.scheme import CONTROLLERREVISIONS, CRONJOBS, DAEMONSETS, PODS, ResourceType
from autograder.controlplane.apimachinery.wire import Object

TICK: Object = {
    "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
    "spec": {
        "schedule": "* * * * *",
        "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "busybox:1.36", "command": ["true"]}],
        }}}},
    },
}  # fmt: skip


def noted(world: World, kind: ResourceType, name: str, status: Object) -> None:
    world.client.patch(kind, "default", name, {"status": status}, "status")


def test_a_cron_job_that_counts_objects_without_a_name_as_active(world: World) -> None:
    world.create(TICK)
    noted(world, CRONJOBS, "tick", {"active": [{"kind": "Job"}, {"uid": "x"}]})
    world.advance(130)
    assert world.get(CRONJOBS, "tick")["status"]["lastSuccessfulTime"]


@pytest.mark.parametrize("schedule", ["* * * * *", "@every 1m"])
def test_a_cron_job_that_ran_at_the_end_of_all_time_waits(world: World, schedule: str) -> None:
    world.create({**TICK, "spec": {**TICK["spec"], "schedule": schedule}})
    noted(world, CRONJOBS, "tick", {"lastScheduleTime": "9999-12-31T23:59:59Z"})
    world.advance(130)
    assert not world.client.list(PODS, "default")[0]


def test_a_revision_of_a_daemon_set_that_has_lost_its_labels(world: World) -> None:
    world.create(workload("DaemonSet", "agent", "agent"))
    world.advance(20)
    (revision,) = world.client.list(CONTROLLERREVISIONS, "default")[0]
    world.client.patch(CONTROLLERREVISIONS, "default", revision["metadata"]["name"], {"metadata": {"labels": None}})
    world.advance(60)
    world.client.delete(PODS, "default", world.pods("app=agent")[0]["metadata"]["name"])
    world.advance(60)
    assert world.get(DAEMONSETS, "agent")["status"]["numberReady"] == 2


def test_a_revision_of_a_daemon_set_that_has_lost_its_hash_is_told_by_its_name(world: World) -> None:
    world.create(workload("DaemonSet", "agent", "agent"))
    world.advance(20)
    (revision,) = world.client.list(CONTROLLERREVISIONS, "default")[0]
    name, key = revision["metadata"]["name"], "controller-revision-hash"
    world.client.patch(CONTROLLERREVISIONS, "default", name, {"metadata": {"labels": {key: None}}})
    world.patch(DAEMONSETS, "agent", {"metadata": {"labels": {"looked": "at"}}})
    world.advance(60)
    (revision,) = world.client.list(CONTROLLERREVISIONS, "default")[0]
    assert revision["metadata"]["labels"][key] == name
