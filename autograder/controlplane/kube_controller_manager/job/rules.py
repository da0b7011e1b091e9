"""When a Job's pod counts as failed, when the Job ends, and how long to wait before the next try.

Pure functions; times are in microseconds.  Source: pkg/controller/job/{job_controller,pod_failure_policy,
success_policy,backoff_utils}.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.conditions import find
from autograder.controlplane.kube_controller_manager.job import indexes

FIRST_BACKOFF: Final = 10 * SECOND
LONGEST_BACKOFF: Final = 600 * SECOND


class Failures(NamedTuple):
    """How many pods have failed since the last success, and when the last one did."""

    number: int = 0
    last: int = 0


def is_finished(job: Object) -> bool:
    """Whether the Job is Complete or Failed."""
    conditions = job.get("status", {}).get("conditions", ())
    return any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)


def standing(job: Object, kind: str) -> Object | None:
    """The condition of a type, if it is True."""
    found = find(job.get("status", {}).get("conditions", ()), kind)
    return found if found and found["status"] == "True" else None


def is_indexed(job: Object) -> bool:
    """Whether each completion has its own index."""
    mode: str = job["spec"].get("completionMode", "NonIndexed")
    return mode == "Indexed"


def replaces_only_failed(job: Object) -> bool:
    """Whether a pod that is going away must have ended before another takes its place."""
    spec = job["spec"]
    return spec.get("podReplacementPolicy") == "Failed" or "podFailurePolicy" in spec


def is_failed(job: Object, pod: Object) -> bool:
    """Whether a pod counts as failed; one that is being deleted does, unless only ended ones are replaced."""
    if podlib.phase(pod) == "Failed":
        return True
    leaving = "deletionTimestamp" in pod["metadata"] and podlib.phase(pod) != "Succeeded"
    return leaving and not replaces_only_failed(job)


def policy_verdict(job: Object, pod: Object) -> tuple[str, str]:
    """What the first rule of the pod failure policy that fits a failed pod does, and why; ('', '') without one."""
    for position, rule in enumerate(job["spec"].get("podFailurePolicy", {}).get("rules", ())):
        action, at = rule["action"], f"matching {rule['action']} rule at index {position}"
        subject = f"pod {pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if "onExitCodes" in rule:
            found = _failed_container(pod, rule["onExitCodes"])
            if found:
                code = found["state"]["terminated"]["exitCode"]
                return action, f"Container {found['name']} for {subject} failed with exit code {code} {at}"
        else:
            patterns = [(one["type"], one.get("status", "True")) for one in rule.get("onPodConditions", ())]
            for condition in pod.get("status", {}).get("conditions", ()):
                if (condition["type"], condition["status"]) in patterns:
                    return action, f"P{subject[1:]} has condition {condition['type']} {at}"
    return "", ""


def _failed_container(pod: Object, wanted: Object) -> Object | None:
    status = pod.get("status", {})
    for container in [*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ())]:
        ended = container.get("state", {}).get("terminated")
        if not ended or not ended.get("exitCode"):
            continue
        if wanted.get("containerName") in (None, container["name"]):
            if (ended["exitCode"] in wanted.get("values", ())) == (wanted["operator"] == "In"):
                found: Object = container
                return found
    return None


def counts_as_failure(job: Object, pod: Object) -> bool:
    """Whether a failed pod counts against the backoff limit."""
    return policy_verdict(job, pod)[0] != "Ignore"


def past_limit_by_restarts(job: Object, pods: Iterable[Object]) -> bool:
    """Whether containers that restart in place have used up the backoff limit."""
    spec = job["spec"]
    if spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    total = 0
    for pod in pods:
        if podlib.phase(pod) in ("Running", "Pending"):
            status = pod["status"]
            known = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
            total += sum(one.get("restartCount", 0) for one in known)
    limit: int = spec.get("backoffLimit", 6)
    return total > 0 if limit == 0 else total >= limit


def met_success_policy(job: Object, succeeded: set[int]) -> str:
    """Which rule of the success policy the succeeded indexes fulfil, or ''."""
    completions = job["spec"].get("completions", 0)
    for position, rule in enumerate(job["spec"].get("successPolicy", {}).get("rules", ())):
        if not succeeded:
            break
        needed = indexes.parse(rule["succeededIndexes"], completions) if "succeededIndexes" in rule else None
        if needed is not None and not needed:
            continue
        reached = succeeded if needed is None else succeeded & needed
        count = rule.get("succeededCount", len(needed or ()))
        if len(reached) >= count:
            return f"Matched rules at index {position}"
    return ""


def finish_time(pod: Object) -> int:
    """When a pod ended, as far as its status tells."""
    status, meta = pod.get("status", {}), pod["metadata"]
    states = [one.get("state", {}) for one in status.get("containerStatuses", ())]
    ended = [state.get("terminated", {}).get("finishedAt") for state in states]
    if ended and all(ended):
        return max(map(timestamps.parse, ended))
    ready = podlib.condition(pod, "Ready")
    if ready and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return timestamps.parse(ready["lastTransitionTime"])
    if "deletionTimestamp" in meta:
        return timestamps.parse(meta["deletionTimestamp"]) - meta.get("deletionGracePeriodSeconds", 0) * SECOND
    return podlib.created(pod)


def with_finished(before: Failures, succeeded: list[Object], failed: list[Object]) -> Failures:
    """The failures with those of newly finished pods; a success forgives all before it."""
    times = sorted(map(finish_time, failed))
    if succeeded:
        last_success = max(map(finish_time, succeeded))
        times = [time for time in times if time > last_success]
        before = Failures()
    return Failures(before.number + len(times), times[-1]) if times else before


def wait_after(failures: Failures, now: int) -> int:
    """Microseconds until the next pod may be created: 10 s after the first failure, then twice as long each time."""
    if failures.number == 0:
        return 0
    backoff = min(FIRST_BACKOFF << min(failures.number - 1, 20), LONGEST_BACKOFF)
    return max(0, failures.last + backoff - now)
