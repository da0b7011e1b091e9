"""Backoff for each index of a Job on its own (``backoffLimitPerIndex``).

The failures of an index are counted in an annotation of its pods; so the last failed pod of an index is held by its
finalizer until another one has taken its count over.  Source: pkg/controller/job/indexed_job_utils.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager.job import rules
from autograder.controlplane.kube_controller_manager.job.indexes import index_of

FAILURES: Final = "batch.kubernetes.io/job-index-failure-count"
IGNORED: Final = "batch.kubernetes.io/job-index-ignored-failure-count"


def applies(job: Object) -> bool:
    """Whether each index of the Job has its own limit."""
    return rules.is_indexed(job) and "backoffLimitPerIndex" in job["spec"]


def has_failed_for_good(job: Object, pod: Object) -> bool:
    """Whether a pod's failure was the last that its index may have."""
    if not rules.is_failed(job, pod):
        return False
    if rules.policy_verdict(job, pod)[0] == "FailIndex":
        return True
    return rules.counts_as_failure(job, pod) and _count(pod, FAILURES) >= job["spec"]["backoffLimitPerIndex"]


def held_pods(job: Object, pods: Iterable[Object], settled: set[int]) -> dict[int, Object]:
    """The last failed pod of each index that is neither done nor running (``settled``)."""
    held: dict[int, Object] = {}
    for pod in pods:
        index = index_of(pod)
        if index is None or index in settled or not rules.is_failed(job, pod):
            continue
        if index not in held or _seniority(held[index]) <= _seniority(pod):
            held[index] = pod
    return held


def wait_for(pod: Object | None, now: int) -> int:
    """Microseconds until the index of a failed pod may be tried again."""
    if pod is None:
        return 0
    return rules.wait_after(rules.Failures(sum(_total(pod)) + 1, rules.finish_time(pod)), now)


def with_counts(job: Object, template: Object, last: Object | None) -> Object:
    """The template of an index with the failures that it has had, up to the pod that failed last."""
    failed, ignored = _total(last) if last else (0, 0)
    if last is not None:
        counts = rules.counts_as_failure(job, last)
        failed, ignored = failed + counts, ignored + (not counts)
    annotations = {**template["metadata"].get("annotations", {}), FAILURES: str(failed)}
    if ignored:
        annotations[IGNORED] = str(ignored)
    return {**template, "metadata": {**template["metadata"], "annotations": annotations}}


def verdict(job: Object, succeeded: set[int], failed: set[int]) -> tuple[str, str]:
    """Reason and message with which failed indexes end the Job, or ('', '')."""
    spec = job["spec"]
    if "maxFailedIndexes" in spec and len(failed) > spec["maxFailedIndexes"]:
        text = "Job has exceeded the specified maximal number of failed indexes"
        return "MaxFailedIndexesExceeded", text
    if failed and len(failed) + len(succeeded) >= spec["completions"]:
        return "FailedIndexes", "Job has failed indexes"
    return "", ""


def _count(pod: Object, annotation: str) -> int:
    return max(0, integers.read(pod["metadata"].get("annotations", {}).get(annotation, "")) or 0)


def _total(pod: Object) -> tuple[int, int]:
    return _count(pod, FAILURES), _count(pod, IGNORED)


def _seniority(pod: Object) -> tuple[int, int]:
    return sum(_total(pod)), rules.finish_time(pod)
