"""What the status of a Job may say, and how it may change: a finished Job stays finished, counters do not go back.

Most rules look only when something that they are about has changed, so that a status that breaks one can still be
mended elsewhere.  Source: ValidateJobUpdateStatus in pkg/apis/batch/validation/validation.go, and
getStatusValidationOptions in pkg/registry/batch/job/strategy.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import OMITTED, FieldError, Path
from autograder.controlplane.apimachinery.types.unversioned import unversioned
from autograder.controlplane.kube_apiserver.validation.indexes import count_indexes
from autograder.controlplane.kube_apiserver.validation.meta import not_negative, validate_metadata_update

Object = Mapping[str, Any]

_STATUS: Final = Path("status")
_CONDITIONS: Final = _STATUS.child("conditions")
_COUNTERS: Final = ("active", "succeeded", "failed", "ready", "terminating")
_FINISHED: Final = frozenset({"Complete", "Failed"})
#: Conditions that stay once they are true.
_TERMINAL: Final = ("Failed", "Complete", "FailureTarget")
_UNCOUNTED: Final = "uncountedTerminatedPods"


def validate_job_status_update(new: Object, old: Object) -> Iterator[FieldError]:
    """A changed status of a Job."""
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    change = _Change(new, old)
    yield from _numbers(change.status)
    yield from _finish(change)
    yield from _indexes(change)
    yield from _running_pods(change)
    yield from _success_criteria(change)
    yield from _no_way_back(change)


class _Change:
    """The status before and after, and what of it has changed."""

    def __init__(self, new: Object, old: Object) -> None:
        self.spec: Object = new["spec"]
        self.status: Object = new.get("status", {})
        self.before: Object = old.get("status", {})
        self.true, self.was_true = _true(self.status, "True"), _true(self.before, "True")
        self.resumes = "Suspended" in self.was_true and "Suspended" in _true(self.status, "False")

    def of(self, *names: str) -> bool:
        """Whether any of some fields has changed, or of some conditions (which begin with a capital)."""
        return any(
            (name in self.true) != (name in self.was_true)
            if name[0].isupper()
            else self.status.get(name) != self.before.get(name)
            for name in names
        )

    @property
    def finished(self) -> bool:
        return bool(self.true & _FINISHED)

    @property
    def of_finish(self) -> bool:
        return self.finished != bool(self.was_true & _FINISHED)

    @property
    def is_indexed(self) -> bool:
        return bool(self.spec.get("completionMode") == "Indexed")


def _true(status: Object, value: str) -> frozenset[str]:
    return frozenset(one["type"] for one in status.get("conditions", ()) if one.get("status") == value)


def _wrong(why: str) -> FieldError:
    return field.invalid(_CONDITIONS, OMITTED, why)


def _numbers(status: Object) -> Iterator[FieldError]:
    for name in _COUNTERS:
        yield from not_negative(status.get(name, 0), _STATUS.child(name))
    seen: set[str] = set()
    for name in ("succeeded", "failed"):
        for position, uid in enumerate(status.get(_UNCOUNTED, {}).get(name, ())):
            at = _STATUS.child(_UNCOUNTED).child(name).index(position)
            if not uid:
                yield field.invalid(at, uid, "must not be empty")
            elif uid in seen:
                yield field.duplicate(at, uid)
            seen.add(uid)


def _finish(change: _Change) -> Iterator[FieldError]:
    """Conditions and times of a Job that is finished, or is not."""
    true = change.true
    if change.of("Complete", "Failed") and true >= {"Complete", "Failed"}:
        yield _wrong("cannot set Complete=True and Failed=true conditions")
    if change.of("Complete", "FailureTarget") and true >= {"Complete", "FailureTarget"}:
        yield _wrong("cannot set Complete=True and FailureTarget=true conditions")
    yield from _completion_time(change)
    if change.of("Failed", "failedIndexes") and "Failed" in true and "FailureTarget" not in true:
        yield _wrong("cannot set Failed=True condition without the FailureTarget=true condition")
    if change.of("Complete", "SuccessCriteriaMet") and "Complete" in true and "SuccessCriteriaMet" not in true:
        yield _wrong("cannot set Complete=True condition without the SuccessCriteriaMet=true condition")
    if change.finished:
        yield from _finished(change)


def _completion_time(change: _Change) -> Iterator[FieldError]:
    """A Job has one when it is complete, and it is not before its start."""
    at, is_complete = _STATUS.child("completionTime"), "Complete" in change.true
    started, completed = change.status.get("startTime"), change.status.get("completionTime")
    if change.of("Complete", "completionTime"):
        if completed and not is_complete:
            yield field.invalid(at, completed, "cannot set completionTime when there is no Complete=True condition")
        if not completed and is_complete:
            yield field.required(at, "completionTime is required for Complete jobs")
    if change.of("startTime", "completionTime") and started and completed and completed < started:
        yield field.invalid(at, completed, "must be equal to or after `startTime`")


def _finished(change: _Change) -> Iterator[FieldError]:
    """What must be so once a Job is finished."""
    status = change.status
    if (change.of_finish or change.of("active")) and status.get("active", 0) > 0:
        yield field.invalid(_STATUS.child("active"), status["active"], "active>0 is invalid for finished job")
    never_ran = change.spec.get("suspend") is True and change.spec.get("completions") == 0
    if (change.of_finish or change.of("startTime")) and not never_ran and not status.get("startTime"):
        yield field.required(_STATUS.child("startTime"), "startTime is required for finished job")
    uncounted = status.get(_UNCOUNTED, {})
    if (change.of_finish or change.of(_UNCOUNTED)) and (uncounted.get("failed") or uncounted.get("succeeded")):
        printed = unversioned(uncounted, "batch.UncountedTerminatedPods")
        yield field.invalid(_STATUS.child(_UNCOUNTED), printed, "must be empty for finished job")


def _indexes(change: _Change) -> Iterator[FieldError]:
    """The indexes that have succeeded, and those that have failed for good."""
    status, completions = change.status, change.spec.get("completions")
    per_index = change.spec.get("backoffLimitPerIndex")
    completed, failed = status.get("completedIndexes", ""), status.get("failedIndexes")
    at_completed, at_failed = _STATUS.child("completedIndexes"), _STATUS.child("failedIndexes")
    if change.of("completedIndexes") and completions is not None:
        yield from _form(completed, completions, at_completed, "completedIndexes")
    if change.of("failedIndexes") and completions is not None and per_index is not None and failed is not None:
        yield from _form(failed, completions, at_failed, "failedIndexes")
    if change.of("completedIndexes") and completed and not change.is_indexed:
        why = "cannot set non-empty completedIndexes when non-indexed completion mode"
        yield field.invalid(at_completed, completed, why)
    if change.of("failedIndexes") and per_index is None and failed is not None:
        yield field.invalid(at_failed, failed, "cannot set non-null failedIndexes when backoffLimitPerIndex is null")
    if change.of("failedIndexes", "completedIndexes") and completions is not None and failed is not None:
        both = _overlap(completed, failed, completions)
        if both is not None:
            why = f"failedIndexes and completedIndexes overlap at index: {both}"
            yield field.invalid(at_failed, failed, why)


def _form(text: str, completions: int, path: Path, name: str) -> Iterator[FieldError]:
    try:
        count_indexes(text, completions)
    except ValueError as error:
        yield field.invalid(path, text, f"error parsing {name}: {error}")


def _overlap(completed: str, failed: str, completions: int) -> int | None:
    """The first index that stands in both; intervals that cannot be read are passed over."""
    starts = [
        max(first, other)
        for first, last in _intervals(completed, completions)
        for other, end in _intervals(failed, completions)
        if first <= end and other <= last
    ]
    return min(starts, default=None)


def _intervals(text: str, completions: int) -> Iterator[tuple[int, int]]:
    for interval in text.split(","):
        try:
            if count_indexes(interval, completions):
                first, _, last = interval.partition("-")
                yield int(first), int(last or first)
        except ValueError:
            continue  # the form of each list has a rule of its own


def _running_pods(change: _Change) -> Iterator[FieldError]:
    status = change.status
    terminating, ready = status.get("terminating", 0), status.get("ready")
    if (change.of_finish or change.of("terminating")) and terminating > 0 and change.finished:
        yield field.invalid(_STATUS.child("terminating"), terminating, "terminating>0 is invalid for finished job")
    if change.of("ready", "active") and ready is not None and ready > status.get("active", 0):
        yield field.invalid(_STATUS.child("ready"), ready, "cannot set more ready pods than active")


def _success_criteria(change: _Change) -> Iterator[FieldError]:
    met = "SuccessCriteriaMet" in change.true
    if met and "Failed" in change.true:
        yield _wrong("cannot set SuccessCriteriaMet=True and Failed=true conditions")
    if met and "FailureTarget" in change.true:
        yield _wrong("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    if change.spec.get("successPolicy") is not None and not met and "Complete" in change.true:
        yield _wrong("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True")


def _no_way_back(change: _Change) -> Iterator[FieldError]:
    """What has been reached stays so."""
    status, before, true, was_true = change.status, change.before, change.true, change.was_true
    for name in _TERMINAL:
        if name in was_true - true:
            yield _wrong(f"cannot disable the terminal {name}=True condition")
    scaled = change.is_indexed and change.spec.get("completions") == change.spec.get("parallelism")
    for name in ("failed", "succeeded"):
        count = status.get(name, 0)
        if count < before.get(name, 0) and not (name == "succeeded" and scaled):
            yield field.invalid(_STATUS.child(name), count, f"cannot decrease the {name} counter")
    completed, had = status.get("completionTime"), before.get("completionTime")
    if completed and had and completed != had:
        yield field.invalid(_STATUS.child("completionTime"), completed, "field is immutable")
    began = before.get("startTime")
    if began and change.of("startTime") and not change.resumes and not change.spec.get("suspend"):
        why = "field is immutable for unsuspended job once set"
        yield field.invalid(_STATUS.child("startTime"), status.get("startTime"), why)
    if "SuccessCriteriaMet" in was_true - true:
        yield _wrong("cannot disable the SuccessCriteriaMet=True condition")
    if "Complete" in was_true and "SuccessCriteriaMet" in true - was_true:
        yield _wrong("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions")
