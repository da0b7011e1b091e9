"""Defaults of Jobs and CronJobs.

Source: pkg/apis/batch/v1/defaults.go.
"""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.kube_apiserver.defaulting.pods import default_template, set_missing

Object = dict[str, Any]

BACKOFF_LIMIT: Final = 6
NO_LIMIT: Final = 2**31 - 1


def default_job(job: Object) -> None:
    """The defaults of a Job."""
    spec = job["spec"]
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    labels = spec["template"]["metadata"].get("labels")
    if labels:
        job["metadata"].setdefault("labels", labels)
    replacement = "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed"
    set_missing(
        spec,
        {
            "parallelism": 1,
            "backoffLimit": NO_LIMIT if "backoffLimitPerIndex" in spec else BACKOFF_LIMIT,
            "completionMode": "NonIndexed",
            "suspend": False,
            "podReplacementPolicy": replacement,
            "manualSelector": False,
        },
    )
    _default_job_spec(spec)


def default_cron_job(cron_job: Object) -> None:
    """The defaults of a CronJob; those of its Jobs are set when a Job is made."""
    spec = cron_job["spec"]
    set_missing(
        spec,
        {
            "concurrencyPolicy": "Allow",
            "suspend": False,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
        },
    )
    _default_job_spec(spec["jobTemplate"]["spec"])


def _default_job_spec(spec: Object) -> None:
    default_template(spec["template"])
    for rule in spec.get("podFailurePolicy", {}).get("rules") or ():
        for pattern in rule.get("onPodConditions", ()):
            if not pattern.get("status"):
                pattern["status"] = "True"
