"""Jobs run to their end, are counted exactly, try again with patience, and go when their time is over."""

from __future__ import annotations

from itertools import pairwise

import pytest
from controller_world import World, job

from autograder.controlplane.apimachinery.scheme import CRONJOBS, JOBS, PODS
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.job import indexes, rules

TRACKING = "batch.kubernetes.io/job-tracking"


def conditions(world: World, name: str) -> list[tuple[str, str]]:
    return [(one["type"], one["reason"]) for one in world.get(JOBS, name)["status"]["conditions"]]


def test_completes(world: World) -> None:
    world.create(job("once", "true"))
    world.advance(10)
    status = world.get(JOBS, "once")["status"]
    assert conditions(world, "once") == [
        ("SuccessCriteriaMet", "CompletionsReached"),
        ("Complete", "CompletionsReached"),
    ]
    assert (status["succeeded"], status["ready"], status["terminating"]) == (1, 0, 0)
    assert status["uncountedTerminatedPods"] == {}
    assert status["completionTime"] >= status["startTime"]
    assert "active" not in status and "failed" not in status
    assert world.events("Job")[-1] == ("Completed", "Job completed")
    (pod,) = world.pods()
    assert TRACKING not in pod["metadata"].get("finalizers", ())


def test_runs_as_many_at_a_time_as_allowed(world: World) -> None:
    world.create(job("many", "sleep", "10", completions=5, parallelism=2))
    most = 0
    for _ in range(60):
        world.advance(1)
        most = max(most, world.get(JOBS, "many")["status"].get("active", 0))
    assert most == 2
    assert world.get(JOBS, "many")["status"]["succeeded"] == 5


def test_tries_again_with_growing_pauses_and_gives_up(world: World) -> None:
    world.create(job("bad", "false", backoffLimit=2))
    made: list[float] = []
    start = world.cluster.clock.now
    for _ in range(600):
        if len(world.names(PODS)) > len(made):
            made.append((world.cluster.clock.now - start) / SECOND)
        world.advance(0.1)
    pauses = [later - earlier for earlier, later in pairwise(made)]
    assert len(made) == 3
    assert 10 <= pauses[0] <= 13
    assert 20 <= pauses[1] <= 23
    assert conditions(world, "bad") == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert world.get(JOBS, "bad")["status"]["failed"] == 3
    assert world.events("Job")[-1] == ("BackoffLimitExceeded", "Job has reached the specified backoff limit")


def test_restarts_in_place_count_against_the_limit(world: World) -> None:
    world.create(job("bad", "false", restart="OnFailure", backoffLimit=1))
    world.advance(120)
    assert conditions(world, "bad")[-1] == ("Failed", "BackoffLimitExceeded")
    assert world.names(PODS) == []


def test_ends_at_its_deadline(world: World) -> None:
    world.create(job("slow", "sleep", "1000", activeDeadlineSeconds=20))
    world.advance(15)
    assert world.get(JOBS, "slow")["status"]["active"] == 1
    world.advance(60)
    assert conditions(world, "slow") == [("FailureTarget", "DeadlineExceeded"), ("Failed", "DeadlineExceeded")]
    assert world.names(PODS) == []


def test_suspended_it_has_no_pods(world: World) -> None:
    world.create(job("pause", "sleep", "30", suspend=True))
    world.advance(10)
    assert world.names(PODS) == []
    assert world.condition(JOBS, "pause", "Suspended") == ("True", "JobSuspended")
    world.patch(JOBS, "pause", {"spec": {"suspend": False}})
    world.advance(10)
    assert world.condition(JOBS, "pause", "Suspended") == ("False", "JobResumed")
    assert len(world.names(PODS)) == 1
    world.patch(JOBS, "pause", {"spec": {"suspend": True}})
    world.advance(60)
    assert world.names(PODS) == []
    assert "succeeded" not in world.get(JOBS, "pause")["status"]


def test_indexed_every_index_is_done_once(world: World) -> None:
    world.create(job("ix", "sh", "-c", "echo $JOB_COMPLETION_INDEX", completions=4, completionMode="Indexed"))
    world.advance(30)
    status = world.get(JOBS, "ix")["status"]
    assert (status["succeeded"], status["completedIndexes"]) == (4, "0-3")
    found = sorted(pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] for pod in world.pods())
    assert found == ["0", "1", "2", "3"]
    assert {pod["spec"]["hostname"] for pod in world.pods()} == {"ix-0", "ix-1", "ix-2", "ix-3"}


def test_each_index_may_have_its_own_limit(world: World) -> None:
    limits = {"backoffLimitPerIndex": 1, "completions": 3, "parallelism": 3}
    world.create(job("ix", "sh", "-c", "exit $JOB_COMPLETION_INDEX", completionMode="Indexed", **limits))
    world.advance(5)
    assert world.get(JOBS, "ix")["status"]["completedIndexes"] == "0"
    assert not rules.is_finished(world.get(JOBS, "ix"))
    world.advance(60)
    status = world.get(JOBS, "ix")["status"]
    assert (status["completedIndexes"], status["failedIndexes"], status["failed"]) == ("0", "1,2", 4)
    assert conditions(world, "ix") == [("FailureTarget", "FailedIndexes"), ("Failed", "FailedIndexes")]


def test_a_deleted_pod_counts_as_failed_and_is_replaced(world: World) -> None:
    world.create(job("long", "sleep", "100"))
    world.advance(5)
    world.delete(PODS, world.names(PODS)[0])
    world.advance(60)
    status = world.get(JOBS, "long")["status"]
    assert (status["active"], status["failed"]) == (1, 1)
    assert len(world.names(PODS)) == 1


def test_the_failure_policy_ends_a_job_at_once(world: World) -> None:
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    policy = {"rules": [rule]}
    world.create(job("fatal", "sh", "-c", "exit 42", backoffLimit=6, podFailurePolicy=policy))
    world.advance(30)
    assert conditions(world, "fatal")[0] == ("FailureTarget", "PodFailurePolicy")
    assert len(world.names(PODS)) == 1


def test_the_failure_policy_may_ignore_a_failure(world: World) -> None:
    policy = {"rules": [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [7]}}]}
    world.create(job("shrug", "sh", "-c", "exit 7", backoffLimit=0, podFailurePolicy=policy))
    world.advance(5)
    assert "failed" not in world.get(JOBS, "shrug")["status"]
    assert not rules.is_finished(world.get(JOBS, "shrug"))


def test_goes_when_its_time_is_over(world: World) -> None:
    world.create(job("brief", "true", ttlSecondsAfterFinished=30))
    world.advance(20)
    assert world.names(JOBS) == ["brief"]
    world.advance(30)
    assert world.names(JOBS) == []
    assert world.names(PODS) == []


def test_a_deleted_job_takes_its_pods_along(world: World) -> None:
    world.create(job("long", "sleep", "1000"))
    world.advance(5)
    world.delete(JOBS, "long", propagation="Background")
    world.advance(60)
    assert world.names(PODS) == []


def cron(name: str = "tick", schedule: str = "*/2 * * * *", *command: str, **spec: object) -> dict[str, object]:
    template = job("unused", *(command or ("true",)))["spec"]
    body = {"schedule": schedule, "jobTemplate": {"spec": template}, **spec}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": body}


def test_a_cron_job_starts_a_job_at_each_time(world: World) -> None:
    world.create(cron())
    world.advance(130)
    (found,) = world.list(JOBS)
    minute = found["metadata"]["name"].removeprefix("tick-")
    assert int(minute) * 60 * SECOND < world.cluster.clock.now
    assert found["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "2026-01-01T09:02:00Z"
    status = world.get(CRONJOBS, "tick")["status"]
    assert status["lastScheduleTime"] == "2026-01-01T09:02:00Z"
    assert "active" not in status
    assert [reason for reason, _ in world.events("CronJob")] == ["SuccessfulCreate", "SawCompletedJob"]


def test_a_cron_job_keeps_three_jobs(world: World) -> None:
    world.create(cron())
    world.advance(1200)
    assert len(world.names(JOBS)) == 3


def test_forbid_waits_for_the_last_job_and_replace_ends_it(world: World) -> None:
    world.create(cron("forbid", "* * * * *", "sleep", "90", concurrencyPolicy="Forbid"))
    world.create(cron("replace", "* * * * *", "sleep", "90", concurrencyPolicy="Replace"))
    world.advance(125)
    reasons = {reason for reason, _ in world.events("CronJob")}
    assert {"JobAlreadyActive", "SuccessfulDelete"} <= reasons
    assert len(world.get(CRONJOBS, "forbid")["status"]["active"]) == 1
    assert len(world.get(CRONJOBS, "replace")["status"]["active"]) == 1


@pytest.mark.parametrize(("deadline", "started"), [(10**12, 1), (2**63 - 1, 0)])
def test_a_deadline_beyond_all_calendars_wraps_around_as_in_go(world: World, deadline: int, started: int) -> None:
    world.create(cron(startingDeadlineSeconds=deadline))
    world.advance(130)
    assert len(world.names(JOBS)) == started


def test_a_suspended_cron_job_starts_nothing(world: World) -> None:
    world.create(cron(suspend=True))
    world.advance(600)
    assert world.names(JOBS) == []


@pytest.mark.parametrize(
    ("found", "text"),
    [(set(), ""), ({0}, "0"), ({0, 1}, "0,1"), ({0, 1, 2}, "0-2"), ({0, 2, 3, 4, 7}, "0,2-4,7")],
)
def test_indexes_are_written_as_ranges(found: set[int], text: str) -> None:
    assert indexes.spell(found) == text
    assert indexes.parse(text, 10) == found


@pytest.mark.parametrize("annotation", ["job-completion-index", "job-index-failure-count"])
def test_annotations_that_are_no_numbers_are_as_good_as_none(world: World, annotation: str) -> None:
    world.create(job("one", "sleep", "20", completions=1, completionMode="Indexed", backoffLimitPerIndex=1))
    world.advance(5)
    (name,) = world.names(PODS)
    world.patch(PODS, name, {"metadata": {"annotations": {f"batch.kubernetes.io/{annotation}": "9" * 5000}}})
    world.advance(60)
    assert world.get(JOBS, "one")["status"]["succeeded"] == 1


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 10), (2, 20), (4, 80), (7, 600), (50, 600)])
def test_waits_twice_as_long_after_each_failure(failures: int, seconds: int) -> None:
    assert rules.wait_after(rules.Failures(failures, 1000), 1000) == seconds * SECOND
