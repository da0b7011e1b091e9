"""The CronJob controller: a Job whenever the schedule says so.

Source: pkg/controller/cronjob.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autograder.controlplane.apimachinery import cron, timestamps
from autograder.controlplane.apimachinery.cron import Schedule
from autograder.controlplane.apimachinery.errors import AlreadyExists, NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import CRONJOBS, JOBS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, object_key, split_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.job import rules
from autograder.controlplane.kube_controller_manager.ownership import (
    by_controller,
    controller_ref,
    controllers,
    is_controlled_by,
)
from autograder.controlplane.kube_controller_manager.refusals import is_of_terminating_namespace

SCHEDULED_AT: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"
#: A little later than the schedule says, so that the time has surely come.
DELTA: Final = SECOND // 10
MANY_MISSED: Final = 100


class CronJobController(Controller):
    """Starts the Jobs of every CronJob and clears away old ones."""

    name = "cronjob-controller"
    service_account = "cronjob-controller"
    event_source = "cronjob-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.cron_jobs = self.informers.informer(CRONJOBS)
        self.jobs = self.informers.informer(JOBS, controller=by_controller)

    def subscriptions(self) -> Subscriptions:
        return {self.cron_jobs: self.on_cron_job, self.jobs: self.on_job}

    def on_cron_job(self, delta: Delta) -> None:
        key = object_key(delta.object)
        if delta.old and delta.new and delta.old["spec"] != delta.new["spec"]:
            self.queue.cancel(key)
        self.queue.add(key)

    def on_job(self, delta: Delta) -> None:
        self.queue.add(*controllers(self.cron_jobs, delta))

    def reconcile(self, key: str) -> None:
        cron_job = self.cron_jobs.get_by_key(key)
        if cron_job is None:
            self.queue.cancel(key)
            return
        jobs = self.jobs.by_index("controller", cron_job["metadata"]["uid"])
        status = dict(cron_job.get("status", {}))
        status["active"] = list(status.get("active", ()))
        self._take_stock(cron_job, jobs, status)
        try:
            if "deletionTimestamp" not in cron_job["metadata"]:
                self._run_schedule(key, cron_job, status)
            self._clean_up(cron_job, jobs, status)
        finally:
            if compact(status) != cron_job.get("status", {}):
                self.client.update(CRONJOBS, {**cron_job, "status": compact(status)}, "status")

    def _take_stock(self, cron_job: Object, jobs: list[Object], status: Object) -> None:
        """Note which Jobs have ended, went missing, or came from elsewhere."""
        known = {_uid(one) for one in status["active"]}
        for job in jobs:
            meta = job["metadata"]
            if not rules.is_finished(job):
                if meta["uid"] not in known:
                    text = f"Saw a job that the controller did not create or forgot: {meta['name']}"
                    self.recorder.event(cron_job, "Warning", "UnexpectedJob", text)
                continue
            if meta["uid"] in known:
                status["active"] = [one for one in status["active"] if _uid(one) != meta["uid"]]
                text = f"Saw completed job: {meta['name']}, condition: {_ending(job)}"
                self.recorder.event(cron_job, "Normal", "SawCompletedJob", text)
            completed = job["status"].get("completionTime", "")
            if _ending(job) == "Complete" and completed > status.get("lastSuccessfulTime", ""):
                status["lastSuccessfulTime"] = completed
        present = {job["metadata"]["uid"] for job in jobs}
        for one in [one for one in status["active"] if _uid(one) not in present]:
            text = f"Active job went missing: {one.get('name', '')}"
            self.recorder.event(cron_job, "Normal", "MissingJob", text)
            status["active"].remove(one)

    def _run_schedule(self, key: str, cron_job: Object, status: Object) -> None:
        spec = cron_job["spec"]
        try:
            zone: tzinfo = ZoneInfo(spec["timeZone"]) if spec.get("timeZone") else UTC
        except (ZoneInfoNotFoundError, ValueError):
            text = f'invalid timeZone: "{spec["timeZone"]}": unknown time zone {spec["timeZone"]}'
            self.recorder.event(cron_job, "Warning", "UnknownTimeZone", text)
            return
        if spec.get("suspend"):
            return
        try:
            schedule = cron.parse(spec["schedule"])
        except ValueError as error:
            text = f'unparseable schedule: "{spec["schedule"]}" : {error}'
            self.recorder.event(cron_job, "Warning", "UnparseableSchedule", text)
            return
        now = datetime.fromtimestamp(self.clock.now / SECOND, zone)
        due, missed = _last_due(self._earliest(cron_job, now, deadline=True), now, schedule)
        if due is not None:
            if missed > MANY_MISSED:
                text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
                self.recorder.event(cron_job, "Warning", "TooManyMissedTimes", text)
            self._start(cron_job, status, due, now)
        self._plan_next(key, {**cron_job, "status": status}, now, schedule)

    def _earliest(self, cron_job: Object, now: datetime, *, deadline: bool) -> datetime:
        """From when on the schedule counts: the last time it was followed, or when the CronJob came."""
        since = cron_job.get("status", {}).get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"]
        earliest = timestamps.parse(since)
        if deadline and "startingDeadlineSeconds" in cron_job["spec"]:
            earliest = max(earliest, self.clock.now - timestamps.span(cron_job["spec"]["startingDeadlineSeconds"]))
        return datetime.fromtimestamp(earliest / SECOND, now.tzinfo)

    def _plan_next(self, key: str, cron_job: Object, now: datetime, schedule: Schedule) -> None:
        earliest = self._earliest(cron_job, now, deadline=False)
        due, _ = _last_due(earliest, now, schedule)
        following = schedule.next(due or earliest)
        if following is not None:
            self.queue.add_after(key, round((following - now).total_seconds() * SECOND) + DELTA)

    def _start(self, cron_job: Object, status: Object, due: datetime, now: datetime) -> None:
        """Create the Job that is due, as far as deadline and concurrency policy allow."""
        spec = cron_job["spec"]
        late = round((now - due).total_seconds() * SECOND)
        if "startingDeadlineSeconds" in spec and late > timestamps.span(spec["startingDeadlineSeconds"]):
            missed = due.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
            self.recorder.event(cron_job, "Warning", "MissSchedule", f"Missed scheduled time to start a job: {missed}")
            return
        wanted = _job(cron_job, due)
        name, scheduled = wanted["metadata"]["name"], timestamps.time(round(due.timestamp() * SECOND))
        if any(one.get("name") == name for one in status["active"]) or status.get("lastScheduleTime") == scheduled:
            return
        policy = spec.get("concurrencyPolicy", "Allow")
        if policy == "Forbid" and status["active"]:
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self.recorder.event(cron_job, "Normal", "JobAlreadyActive", text)
            return
        if policy == "Replace":
            for one in list(status["active"]):
                self._delete(cron_job, one.get("name", ""), _uid(one), status)
        created = self._create(cron_job, wanted, status)
        if created is not None:
            meta = created["metadata"]
            status["active"].append({
                "apiVersion": JOBS.api_version, "kind": JOBS.kind, "namespace": meta["namespace"],
                "name": meta["name"], "uid": meta["uid"], "resourceVersion": meta["resourceVersion"],
            })  # fmt: skip
            status["lastScheduleTime"] = scheduled

    def _create(self, cron_job: Object, wanted: Object, status: Object) -> Object | None:
        namespace, name = cron_job["metadata"]["namespace"], wanted["metadata"]["name"]
        try:
            created = self.client.create(JOBS, namespace, wanted)
        except AlreadyExists:
            found = self.client.get(JOBS, namespace, name)
            known = any(_uid(one) == found["metadata"]["uid"] for one in status["active"])
            return None if known or not is_controlled_by(found, cron_job) else found
        except StatusError as error:
            if not is_of_terminating_namespace(error):
                self.recorder.event(cron_job, "Warning", "FailedCreate", f"Error creating job: {error.message}")
            raise
        self.recorder.event(cron_job, "Normal", "SuccessfulCreate", f"Created job {name}")
        return created

    def _clean_up(self, cron_job: Object, jobs: list[Object], status: Object) -> None:
        """Delete the oldest finished Jobs beyond the history limits."""
        spec = cron_job["spec"]
        limits = (("Complete", spec.get("successfulJobsHistoryLimit")), ("Failed", spec.get("failedJobsHistoryLimit")))
        for ending, limit in limits:
            if limit is None:
                continue
            ended = sorted((job for job in jobs if _ending(job) == ending), key=_by_start)
            for job in ended[: max(0, len(ended) - limit)]:
                self._delete(cron_job, job["metadata"]["name"], job["metadata"]["uid"], status)

    def _delete(self, cron_job: Object, name: str, uid: str, status: Object) -> None:
        namespace, _ = split_key(object_key(cron_job))
        try:
            self.client.delete(JOBS, namespace, name, propagation="Background")
        except NotFound:
            pass
        except StatusError as error:
            self.recorder.event(cron_job, "Warning", "FailedDelete", f"Deleted job: {error.message}")
            raise
        else:
            self.recorder.event(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {name}")
        status["active"] = [one for one in status["active"] if _uid(one) != uid]


def _uid(reference: Object) -> str:
    """Of which object a status speaks; anybody may have written it, and left that out."""
    return str(reference.get("uid", ""))


def _last_due(earliest: datetime, now: datetime, schedule: Schedule) -> tuple[datetime | None, int]:
    """The last time that was due after ``earliest`` and up to now, and about how many there were."""
    first = schedule.next(earliest)
    if first is None or first > now:
        return None, 0
    second = schedule.next(first)
    if second is None or second > now:
        return first, 1
    gap = second - first
    count = int((now - first) / gap) + 1
    last: datetime | None = first
    following = schedule.next(first + gap * (count - 2))
    while following is not None and following <= now:
        last, following = following, schedule.next(following)
    return last, count


def _job(cron_job: Object, due: datetime) -> Object:
    """The Job of one time of the schedule; its name tells the minute."""
    template, meta = cron_job["spec"]["jobTemplate"], cron_job["metadata"]
    described = template.get("metadata", {})
    metadata: Object = {
        "name": f"{meta['name']}-{int(due.timestamp()) // 60}",
        "namespace": meta["namespace"],
        "annotations": {**described.get("annotations", {}), SCHEDULED_AT: due.isoformat().replace("+00:00", "Z")},
        "ownerReferences": [controller_ref(cron_job)],
    }
    metadata |= compact({"labels": described.get("labels")})
    return {"apiVersion": JOBS.api_version, "kind": JOBS.kind, "metadata": metadata, "spec": template["spec"]}


def _ending(job: Object) -> str:
    """Complete, Failed, or '' while the Job runs."""
    return next((kind for kind in ("Complete", "Failed") if rules.standing(job, kind)), "")


def _by_start(job: Object) -> tuple[bool, str, str]:
    started = job.get("status", {}).get("startTime", "")
    return not started, started, job["metadata"]["name"]
