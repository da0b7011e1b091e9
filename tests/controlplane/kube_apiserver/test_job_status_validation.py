"""What the status of a Job may say, and how it may change."""

from __future__ import annotations

from typing import Any

import pytest
from asking import World

JOBS = "/apis/batch/v1/namespaces/default/jobs"
EARLY, LATE = "2026-01-01T09:00:00Z", "2026-01-01T09:05:00Z"


@pytest.fixture
def world() -> World:
    return World()


def true(*types: str) -> list[dict[str, str]]:
    return [{"type": name, "status": "True"} for name in types]


def written(world: World, *statuses: dict[str, Any], **spec: Any) -> Any:
    """What the last of some statuses is answered with, all written to one new Job."""
    container = {"name": "c", "image": "busybox:1.36"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    world.create(JOBS, {"metadata": {"name": "job"}, "spec": {"template": template, **spec}})
    answer = None
    for position, status in enumerate(statuses):
        answer = world.ask("PUT", f"{JOBS}/job/status", body={"metadata": {"name": "job"}, "status": status})
        assert position == len(statuses) - 1 or answer.code == 200, answer.body
    assert answer is not None
    return answer


RUNNING = {"startTime": EARLY, "active": 1}
MET = {"startTime": EARLY, "conditions": true("SuccessCriteriaMet")}
DONE = {**MET, "completionTime": LATE, "succeeded": 1, "conditions": true("SuccessCriteriaMet", "Complete")}
TARGET = {"startTime": EARLY, "failed": 1, "conditions": true("FailureTarget")}
LOST = {"startTime": EARLY, "failed": 1, "conditions": true("FailureTarget", "Failed")}


@pytest.mark.parametrize("statuses", [(RUNNING,), (RUNNING, MET, DONE), (RUNNING, TARGET, LOST), (RUNNING, RUNNING)])
def test_a_job_runs_and_finishes(world: World, statuses: tuple[dict[str, Any], ...]) -> None:
    assert written(world, *statuses).code == 200


def test_a_status_update_leaves_the_spec_alone(world: World) -> None:
    written(world, RUNNING)
    body = {"metadata": {"name": "job"}, "spec": {"parallelism": 9}, "status": RUNNING}
    assert world.ask("PUT", f"{JOBS}/job/status", body=body).body["spec"]["parallelism"] == 1


@pytest.mark.parametrize(
    ("statuses", "why"),
    [
        ([{"active": -1}], "status.active: Invalid value: -1: must be greater than or equal to 0"),
        ([{"uncountedTerminatedPods": {"failed": ["a", "a"]}}], 'failed[1]: Duplicate value: "a"'),
        ([{**DONE, "conditions": true("Complete")}], "without the SuccessCriteriaMet=true condition"),
        ([{**LOST, "conditions": true("Failed")}], "without the FailureTarget=true condition"),
        ([{**DONE, "conditions": true("SuccessCriteriaMet", "Complete", "Failed", "FailureTarget")}],
         "cannot set Complete=True and Failed=true conditions"),
        ([{**RUNNING, "completionTime": LATE}], "cannot set completionTime when there is no Complete=True condition"),
        ([{**MET, "conditions": DONE["conditions"]}], "status.completionTime: Required value"),
        ([{**DONE, "startTime": LATE, "completionTime": EARLY}], "must be equal to or after `startTime`"),
        ([{**DONE, "active": 1}], "status.active: Invalid value: 1: active>0 is invalid for finished job"),
        ([{**DONE, "terminating": 1}], "terminating>0 is invalid for finished job"),
        ([{"completionTime": LATE, "conditions": DONE["conditions"]}], "status.startTime: Required value"),
        ([{**DONE, "uncountedTerminatedPods": {"succeeded": ["a"]}}], "must be empty for finished job"),
        ([{**RUNNING, "ready": 2}], "status.ready: Invalid value: 2: cannot set more ready pods than active"),
        ([{**RUNNING, "completedIndexes": "0"}], "cannot set non-empty completedIndexes when non-indexed"),
        ([{**RUNNING, "failedIndexes": "0"}], "cannot set non-null failedIndexes when backoffLimitPerIndex is null"),
        ([DONE, {**DONE, "conditions": true("SuccessCriteriaMet")}], "cannot disable the terminal Complete=True"),
        ([DONE, {**DONE, "succeeded": 0}], "cannot decrease the succeeded counter"),
        ([DONE, {**DONE, "completionTime": "2026-01-01T10:00:00Z"}], "status.completionTime: Invalid value: "),
        ([RUNNING, {**RUNNING, "startTime": LATE}], "field is immutable for unsuspended job once set"),
        ([MET, RUNNING], "cannot disable the SuccessCriteriaMet=True condition"),
    ],
)  # fmt: skip
def test_what_a_status_may_not_say(world: World, statuses: list[dict[str, Any]], why: str) -> None:
    answer = written(world, *statuses)
    assert (answer.code, answer.body["reason"]) == (422, "Invalid"), answer.body
    assert why in answer.body["message"]


@pytest.mark.parametrize(
    ("completed", "failed", "why"),
    [
        ("0,2-3", "1", ""),
        ("5", None, 'completedIndexes: Invalid value: "5": error parsing completedIndexes: too large index: "5"'),
        ("1,0", None, "non-increasing order, previous: 1, current: 0"),
        ("0-2", "2", "failedIndexes and completedIndexes overlap at index: 2"),
        ("", "x", 'error parsing failedIndexes: cannot convert string to integer for index: "x"'),
    ],
)
def test_indexes_are_of_the_job_and_in_order(world: World, completed: str, failed: str | None, why: str) -> None:
    status = {**RUNNING, "completedIndexes": completed} | ({"failedIndexes": failed} if failed is not None else {})
    indexed = {"completionMode": "Indexed", "completions": 4, "parallelism": 1, "backoffLimitPerIndex": 1}
    answer = written(world, status, **indexed)
    assert answer.code == (422 if why else 200), answer.body
    assert not why or why in answer.body["message"]


def test_what_was_wrong_before_keeps_nobody_from_changing_something_else(world: World) -> None:
    written(world, {**RUNNING, "active": 2, "ready": 2})
    key = "/registry/jobs/default/job"
    found = world.api.backend.store.get(key)
    assert found is not None
    broken = {**found.value, "status": {**found.value["status"], "ready": 5}}
    world.api.backend.store.put(key, broken, expected=None)
    body = {"metadata": {"name": "job"}, "status": {**RUNNING, "active": 2, "ready": 5, "failed": 1}}
    assert world.ask("PUT", f"{JOBS}/job/status", body=body).code == 200


def test_of_the_status_of_a_cron_job_nothing_is_asked(world: World) -> None:
    crons = JOBS.replace("jobs", "cronjobs")
    container = {"name": "c", "image": "busybox:1.36"}
    inside = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}}
    world.create(crons, {"metadata": {"name": "c"}, "spec": {"schedule": "* * * * *", "jobTemplate": inside}})
    body = {"metadata": {"name": "c"}, "spec": {"schedule": "1 * * * *"}, "status": {"lastScheduleTime": EARLY}}
    answer = world.ask("PUT", f"{crons}/c/status", body=body)
    assert (answer.code, answer.body["spec"]["schedule"]) == (200, "* * * * *")
    assert answer.body["status"]["lastScheduleTime"] == EARLY
