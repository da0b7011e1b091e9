"""Rules for Jobs and CronJobs.

Source: pkg/apis/batch/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from autograder.controlplane.apimachinery import cron, field, selectors
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.job_policies import failure_policy, success_policy
from autograder.controlplane.kube_apiserver.validation.meta import (
    invalid,
    label_selector,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.pods import validate_pod_template
from autograder.controlplane.kube_apiserver.validation.rules import one_of, required_one_of
from autograder.controlplane.kube_apiserver.validation.workloads import counts, is_well_formed, selects_template

Object = Mapping[str, Any]

COMPLETION_MODES: Final = ("NonIndexed", "Indexed")
CONCURRENCY_POLICIES: Final = ("Allow", "Forbid", "Replace")
INDEXED_PARALLELISM: Final = 100_000
MANY_COMPLETIONS: Final = 100_000
PARALLELISM_OF_MANY: Final = 10_000
FAILED_INDEXES: Final = 100_000
FAILED_INDEXES_OF_MANY: Final = 10_000
CRON_NAME_LENGTH: Final = 52
LEGACY_LABELS: Final = ("controller-uid", "job-name")
LABELS: Final = ("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")
_SPEC: Final = Path("spec")


# ---------------------------------------------------------------- Job


def validate_job(job: Object, *, prefixed_labels: bool = True) -> Iterator[FieldError]:
    """A new Job, with the selector that the server gave it."""
    metadata, spec = job["metadata"], job["spec"]
    yield from validate_metadata(metadata, namespaced=True)
    yield from _generated_selector(job, prefixed_labels)
    yield from validate_complete_job_spec(spec)
    completions = spec.get("completions") or 0
    if spec.get("completionMode") == "Indexed" and completions > 0:
        hostname = f"{metadata.get('name', '')}-{completions - 1}"
        if names.dns_label(hostname):
            why = f"will not able to create pod with invalid DNS label: {hostname}"
            yield field.invalid(Path("metadata").child("name"), metadata.get("name", ""), why)


def _generated_selector(job: Object, prefixed_labels: bool) -> Iterator[FieldError]:
    """Unless the client says that it knows better, a Job's selector is its uid, and its pods carry that."""
    metadata, spec = job["metadata"], job["spec"]
    selector, template = spec.get("selector"), spec["template"]["metadata"]
    if spec.get("manualSelector") or selector is None:
        return
    uid, name = metadata.get("uid", ""), metadata.get("name", "")
    if not uid:
        yield field.required(Path("metadata").child("uid"))
    at = _SPEC.child("template").child("metadata").child("labels")
    labels = template.get("labels")
    expected = {}
    for keys in (LEGACY_LABELS, *([LABELS] if prefixed_labels else [])):
        for key, value in zip(keys, (uid, name), strict=True):
            expected[key] = value
            if key not in (labels or {}):
                yield field.required(at.key(key), f"must be '{value}'")
            elif labels[key] != value:
                yield field.invalid(at.key(key), labels, f"must be '{value}'")
    if is_well_formed(selector, _SPEC) and not selectors.of_object(selector).matches(expected):
        yield field.invalid(_SPEC.child("selector"), selector, "`selector` not auto-generated")


def validate_complete_job_spec(spec: Object) -> Iterator[FieldError]:
    """The spec of a Job that has its selector."""
    yield from _job_spec(spec, _SPEC)
    selector, at = spec.get("selector"), _SPEC.child("selector")
    if selector is None:
        yield field.required(at)
    else:
        yield from label_selector(selector, at)
    if is_well_formed(selector, at):
        yield from selects_template(selector, spec["template"], _SPEC.child("template"))


def _job_spec(spec: Object, path: Path) -> Iterator[FieldError]:
    yield from counts(
        spec, path, "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
        "backoffLimitPerIndex", "maxFailedIndexes",
    )  # fmt: skip
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        yield field.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified")
    if "managedBy" in spec:
        yield from _managed_by(spec["managedBy"], path.child("managedBy"))
    yield from _completion_mode(spec, path)
    if "podFailurePolicy" in spec:
        yield from failure_policy(spec, path.child("podFailurePolicy").child("rules"))
    if "successPolicy" in spec:
        yield from success_policy(spec, path.child("successPolicy"))
    if "podReplacementPolicy" in spec:
        allowed = ("Failed",) if "podFailurePolicy" in spec else ("Failed", "TerminatingOrFailed")
        yield from one_of(spec["podReplacementPolicy"], path.child("podReplacementPolicy"), allowed)
    yield from validate_pod_template(spec["template"], path.child("template"))
    yield from _restart_policy(spec, path.child("template").child("spec").child("restartPolicy"))


def _completion_mode(spec: Object, path: Path) -> Iterator[FieldError]:
    mode = spec.get("completionMode")
    if mode is not None:
        yield from one_of(mode, path.child("completionMode"), COMPLETION_MODES)
    if mode == "Indexed":
        yield from _indexed(spec, path)
    if mode in (None, "NonIndexed"):
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if name in spec:
                yield field.invalid(path.child(name), spec[name], "requires indexed completion mode")


def _restart_policy(spec: Object, path: Path) -> Iterator[FieldError]:
    """Pods of a Job end, and where a policy judges how, no container may be started again behind its back."""
    policy = spec["template"]["spec"].get("restartPolicy", "")
    if policy in ("Always", ""):
        yield field.required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield field.not_supported(path, policy, ("OnFailure", "Never"))
    elif "podFailurePolicy" in spec and policy != "Never":
        yield field.invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _managed_by(manager: str, path: Path) -> Iterator[FieldError]:
    """Who looks after the Job instead of the Job controller: a domain and a path."""
    domain, slash, rest = manager.partition("/")
    if not manager:
        yield field.required(path)
    elif not slash or not domain or not rest:
        yield field.invalid(path, manager, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from invalid(path, domain, names.dns_subdomain(domain))
        if not re.fullmatch(names.HTTP_PATH, rest):
            yield field.invalid(path, rest, names.regex_error("Invalid path", names.HTTP_PATH))
    if len(manager.encode()) > names.LABEL_LENGTH:
        yield field.too_long(path, names.LABEL_LENGTH)


def _indexed(spec: Object, path: Path) -> Iterator[FieldError]:
    completions, parallelism, failed = (spec.get(name) for name in ("completions", "parallelism", "maxFailedIndexes"))
    if completions is None:
        yield field.required(path.child("completions"), "when completion mode is Indexed")
    if parallelism is not None and parallelism > INDEXED_PARALLELISM:
        why = f"must be less than or equal to {INDEXED_PARALLELISM} when completion mode is Indexed"
        yield field.invalid(path.child("parallelism"), parallelism, why)
    if failed is not None:
        if completions is not None and failed > completions:
            yield field.invalid(path.child("maxFailedIndexes"), failed, "must be less than or equal to completions")
        if failed > FAILED_INDEXES:
            yield field.invalid(
                path.child("maxFailedIndexes"), failed, f"must be less than or equal to {FAILED_INDEXES}"
            )
    if completions is None or completions <= MANY_COMPLETIONS or "backoffLimitPerIndex" not in spec:
        return
    many = f"when completions are above {MANY_COMPLETIONS} and used with backoff limit per index"
    if failed is None:
        why = f"must be specified when completions is above {MANY_COMPLETIONS}"
        yield field.required(path.child("maxFailedIndexes"), why)
    if parallelism is not None and parallelism > PARALLELISM_OF_MANY:
        why = f"must be less than or equal to {PARALLELISM_OF_MANY} {many}"
        yield field.invalid(path.child("parallelism"), parallelism, why)
    if failed is not None and failed > FAILED_INDEXES_OF_MANY:
        why = f"must be less than or equal to {FAILED_INDEXES_OF_MANY} {many}"
        yield field.invalid(path.child("maxFailedIndexes"), failed, why)


# ---------------------------------------------------------------- CronJob


def validate_cron_job(cron_job: Object) -> Iterator[FieldError]:
    """A new CronJob; the names of its Jobs are longer by a time."""
    yield from validate_metadata(cron_job["metadata"], namespaced=True)
    yield from _cron_job_spec(cron_job["spec"], None)
    name = cron_job["metadata"].get("name", "")
    if len(name.encode()) > CRON_NAME_LENGTH:
        why = f"must be no more than {CRON_NAME_LENGTH} characters"
        yield field.invalid(Path("metadata").child("name"), name, why)


def validate_cron_job_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed CronJob."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from _cron_job_spec(new["spec"], old["spec"])


def _cron_job_spec(spec: Object, old: Object | None) -> Iterator[FieldError]:
    schedule, zone = spec["schedule"], spec.get("timeZone")
    if not schedule:
        yield field.required(_SPEC.child("schedule"))
    else:
        had_zone = old is not None and "TZ" in old["schedule"]
        yield from _schedule(schedule, zone, _SPEC.child("schedule"), had_zone=had_zone)
    yield from counts(spec, _SPEC, "startingDeadlineSeconds")
    if zone is not None and (old is None or old.get("timeZone") != zone):
        yield from _time_zone(zone, _SPEC.child("timeZone"))
    policy = spec.get("concurrencyPolicy", "")
    yield from required_one_of(policy, _SPEC.child("concurrencyPolicy"), CONCURRENCY_POLICIES)
    job, at = spec["jobTemplate"]["spec"], _SPEC.child("jobTemplate").child("spec")
    yield from _job_spec(job, at)
    if "selector" in job:
        yield field.invalid(at.child("selector"), job["selector"], "`selector` will be auto-generated")
    if job.get("manualSelector"):
        yield field.not_supported(at.child("manualSelector"), True, ("nil", "false"))
    yield from counts(spec, _SPEC, "successfulJobsHistoryLimit", "failedJobsHistoryLimit")


def _schedule(schedule: str, zone: str | None, path: Path, *, had_zone: bool) -> Iterator[FieldError]:
    try:
        cron.parse(schedule)
    except ValueError as error:
        yield field.invalid(path, schedule, str(error))
    if "TZ" not in schedule:
        return
    if not had_zone:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield field.invalid(path, schedule, why)
    elif zone is not None:
        yield field.invalid(path, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule")


def _time_zone(zone: str, path: Path) -> Iterator[FieldError]:
    if not zone:
        yield field.invalid(path, zone, "timeZone must be nil or non-empty string")
        return
    for part in zone.split("/"):
        if part in (".", "..") or part.startswith("-") or not re.fullmatch(r"[A-Za-z._0-9+-]{1,14}", part):
            yield field.invalid(path, zone, f"unknown time zone {zone}")
            return
    if zone.lower() == "local":
        why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield field.invalid(path, zone, why)
    elif zone not in _known_zones():
        yield field.invalid(path, zone, f"unknown time zone {zone}")


@cache
def _known_zones() -> frozenset[str]:
    import zoneinfo  # few CronJobs name a zone, and the list takes a while to gather

    return frozenset(zoneinfo.available_timezones())
