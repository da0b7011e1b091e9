"""One look at one Job: create and delete pods, count those that ended, and end the Job when it is done.

Ended pods are first noted in the status as uncounted, then lose their finalizer, then are counted; whatever is
interrupted in between can be taken up again.  Source: pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import JOBS, PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import object_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.conditions import compact, find, has_cause
from autograder.controlplane.kube_controller_manager.job import indexes, per_index, rules
from autograder.controlplane.kube_controller_manager.pod_control import NAMESPACE_TERMINATING
from autograder.controlplane.kube_controller_manager.replicaset import slow_start

if TYPE_CHECKING:
    from autograder.controlplane.kube_controller_manager.job import JobController

TRACKING: Final = "batch.kubernetes.io/job-tracking"
MOST_PODS: Final = 500
#: Fields that are written only when they say something.
OPTIONAL: Final = ("active", "succeeded", "failed", "completedIndexes")


def without_tracking(pod: Object) -> Object:
    """The patch that lets a pod go."""
    return {"metadata": {"uid": pod["metadata"]["uid"], "$deleteFromPrimitiveList/finalizers": [TRACKING]}}


class Tally:
    """The Job's status as it becomes, and the pods that it is about."""

    def __init__(self, controller: JobController, key: str, job: Object, pods: list[Object]) -> None:
        self._controller = controller
        self._key = key
        self._job = job
        self._spec: Object = job["spec"]
        self._pods = sorted(pods, key=self._order) if rules.is_indexed(job) else pods
        self._now = controller.clock.now
        before = job.get("status", {})
        self._status: Object = {"uncountedTerminatedPods": {}, **before}
        uncounted = self._status["uncountedTerminatedPods"]
        self._uncounted = {kind: list(uncounted.get(kind, ())) for kind in ("succeeded", "failed")}
        self._active = [pod for pod in pods if podlib.is_active(pod)]
        self._ending: Object | None = None
        completions = self._spec.get("completions", 0)
        self._completed = indexes.parse(before.get("completedIndexes", ""), completions)
        self._given_up = indexes.parse(before.get("failedIndexes", ""), completions)
        self._held: dict[int, Object] = {}

    @staticmethod
    def _order(pod: Object) -> int:
        index = indexes.index_of(pod)
        return -1 if index is None else index

    # ------------------------------------------------------------ the look

    def run(self) -> None:
        """Do what is to be done now; raises the first refusal of a pod after the status has been written."""
        suspended = bool(self._spec.get("suspend"))
        if "startTime" not in self._status and not suspended:
            self._status["startTime"] = timestamps.time(self._now)
        new = {"succeeded": self._new("Succeeded"), "failed": self._new_failed()}
        controller = self._controller
        failures = controller.failures.get(self._key, rules.Failures())
        self._failures = rules.with_finished(failures, new["succeeded"], new["failed"])
        succeeded = self._total("succeeded") + len(new["succeeded"])
        counted = [pod for pod in new["failed"] if rules.counts_as_failure(self._job, pod)]
        failed = self._total("failed") + len(counted)
        reached = self._completed | {index for pod in new["succeeded"] if (index := self._valid_index(pod)) is not None}
        if rules.is_indexed(self._job):
            succeeded = len(reached)
        if per_index.applies(self._job):
            self._look_at_indexes(reached)
        self._ending = self._verdict(failed, reached)
        failure = self._act(succeeded, reached)
        self._finish()
        if failure:
            raise failure

    def _look_at_indexes(self, reached: set[int]) -> None:
        """Note which indexes are given up, and which failed pods must stay until they are replaced."""
        pods = [pod for pod in self._pods if TRACKING in pod["metadata"].get("finalizers", ())]
        failed = [pod for pod in pods if per_index.has_failed_for_good(self._job, pod)]
        self._given_up |= {index for pod in failed if (index := self._valid_index(pod)) is not None}
        self._held = per_index.held_pods(self._job, pods, reached | self._given_up | self._active_indexes())

    def _active_indexes(self) -> set[int]:
        return {index for pod in self._active if (index := self._valid_index(pod)) is not None}

    def _total(self, kind: str) -> int:
        total: int = self._status.get(kind, 0) + len(self._uncounted[kind])
        return total

    def _new(self, phase: str) -> list[Object]:
        return [pod for pod in self._uncounted_pods("succeeded") if podlib.phase(pod) == phase]

    def _new_failed(self) -> list[Object]:
        return [pod for pod in self._uncounted_pods("failed") if rules.is_failed(self._job, pod)]

    def _uncounted_pods(self, kind: str) -> Iterator[Object]:
        """Pods that still have the finalizer and have not been noted."""
        noted = set(self._uncounted[kind])
        for pod in self._pods:
            meta = pod["metadata"]
            if TRACKING in meta.get("finalizers", ()) and meta["uid"] not in noted:
                if not rules.is_indexed(self._job) or self._valid_index(pod) is not None:
                    yield pod

    def _valid_index(self, pod: Object) -> int | None:
        index = indexes.index_of(pod) if rules.is_indexed(self._job) else None
        return index if index is not None and index < self._spec.get("completions", 0) else None

    def _verdict(self, failed: int, reached: set[int]) -> Object | None:
        """The condition with which the Job begins to end, or None."""
        if standing := rules.standing(self._job, "SuccessCriteriaMet"):
            return standing
        if standing := rules.standing(self._job, "FailureTarget"):
            return self._condition("Failed", standing["reason"], standing["message"])
        for pod in self._pods:
            if rules.is_failed(self._job, pod):
                action, why = rules.policy_verdict(self._job, pod)
                if action == "FailJob":
                    return self._condition("FailureTarget", "PodFailurePolicy", why)
        if failed > self._spec.get("backoffLimit", 6) or rules.past_limit_by_restarts(self._job, self._pods):
            text = "Job has reached the specified backoff limit"
            return self._condition("FailureTarget", "BackoffLimitExceeded", text)
        if (left := self._time_left()) is not None:
            if left <= 0:
                text = "Job was active longer than specified deadline"
                return self._condition("FailureTarget", "DeadlineExceeded", text)
            self._controller.queue.add_after(self._key, left)
        if per_index.applies(self._job):
            reason, why = per_index.verdict(self._job, reached, self._given_up)
            if reason:
                return self._condition("FailureTarget", reason, why)
        if rules.is_indexed(self._job) and (why := rules.met_success_policy(self._job, reached)):
            return self._condition("SuccessCriteriaMet", "SuccessPolicy", why)
        return None

    def _time_left(self) -> int | None:
        if "activeDeadlineSeconds" not in self._spec or self._spec.get("suspend"):
            return None
        allowed: int = self._spec["activeDeadlineSeconds"] * SECOND
        return timestamps.parse(self._status["startTime"]) + allowed - self._now

    def _act(self, succeeded: int, reached: set[int]) -> StatusError | None:
        """Delete the active pods of a Job that ends, or have as many as are wanted; then see whether it is done."""
        expected = self._controller.expectations.satisfied(self._key)
        failure: StatusError | None = None
        if self._ending is not None:
            gone, failure = self._delete(self._active)
            if failure or not expected:
                self._ending = None
            self._count_pods(len(self._active) - len(gone), gone)
            return failure
        active, gone = len(self._active), []
        managed = expected and "deletionTimestamp" not in self._job["metadata"]
        if managed:
            active, gone, failure = self._manage(succeeded, reached)
        completions = self._spec.get("completions")
        if active == 0 and (succeeded >= completions if completions is not None else succeeded > 0):
            text = "Reached expected number of succeeded pods"
            self._ending = self._condition("SuccessCriteriaMet", "CompletionsReached", text)
        elif managed:
            self._note_suspension()
        self._count_pods(active, gone)
        return failure

    def _count_pods(self, active: int, gone: list[Object]) -> None:
        ready = sum(map(podlib.is_ready, self._active)) - sum(map(podlib.is_ready, gone))
        terminating = sum(map(podlib.is_terminating, self._pods)) + len(gone)
        self._status |= {"active": active, "ready": ready, "terminating": terminating}

    def _note_suspension(self) -> None:
        known = find(self._status.get("conditions", ()), "Suspended")
        if self._spec.get("suspend"):
            if not known or known["status"] != "True":
                self._set_condition(self._condition("Suspended", "JobSuspended", "Job suspended"))
                self._tell("Normal", "Suspended", "Job suspended")
                self._status.pop("startTime", None)
        elif known and known["status"] == "True":
            self._set_condition({**self._condition("Suspended", "JobResumed", "Job resumed"), "status": "False"})
            self._tell("Normal", "Resumed", "Job resumed")
            self._status["startTime"] = timestamps.time(self._now)

    # ------------------------------------------------------------ pods

    def _manage(self, succeeded: int, reached: set[int]) -> tuple[int, list[Object], StatusError | None]:
        """Bring the number of active pods to what is wanted.  Returns it, the pods deleted and the first refusal."""
        wanted = self._wanted(succeeded)
        surplus = 0 if wanted is None else len(self._active) - wanted
        doomed = self._surplus_pods(max(0, surplus))[:MOST_PODS]
        gone: list[Object] = []
        failure: StatusError | None = None
        if doomed:
            self._controller.expectations.expect_deletions(self._key, map(object_key, doomed))
            gone, failure = self._delete(doomed, let_go=True)
        active = len(self._active) - len(gone)
        if failure or wanted is None:
            return active, gone, failure
        leaving = sum(map(podlib.is_terminating, self._pods)) if rules.replaces_only_failed(self._job) else 0
        missing = min(wanted - active - leaving, MOST_PODS)
        if missing > 0:
            wait = 0 if per_index.applies(self._job) else rules.wait_after(self._failures, self._now)
            if wait > 0:
                self._controller.queue.add_after(self._key, wait)
            else:
                created, failure = self._create(missing, reached)
                active += created
        return active, gone, failure

    def _wanted(self, succeeded: int) -> int | None:
        """How many pods shall be active; None to leave it at what there is."""
        if self._spec.get("suspend"):
            return 0
        parallelism: int = self._spec.get("parallelism", 1)
        if "completions" in self._spec:
            return max(0, min(self._spec["completions"] - succeeded, parallelism))
        return None if succeeded else parallelism

    def _surplus_pods(self, count: int) -> list[Object]:
        """Active pods to delete: all that share an index with another or have none, and the least useful others."""
        doomed: list[Object] = []
        rest = self._active
        if rules.is_indexed(self._job):
            seen: set[int] = set()
            rest = []
            for pod in self._active:
                index = self._valid_index(pod)
                (doomed if index is None or index in seen else rest).append(pod)
                seen |= {index} if index is not None else set()
        ordered = podlib.in_order_of_deletion(rest, {}, self._now)
        return doomed + ordered[: max(0, count - len(doomed))]

    def _delete(self, pods: list[Object], *, let_go: bool = False) -> tuple[list[Object], StatusError | None]:
        gone: list[Object] = []
        failure: StatusError | None = None
        controller = self._controller
        for pod in pods:
            meta = pod["metadata"]
            try:
                if let_go and TRACKING in meta.get("finalizers", ()):
                    controller.client.patch(PODS, meta["namespace"], meta["name"], without_tracking(pod))
                controller.pod_control.delete(self._job, pod)
            except StatusError as error:
                controller.expectations.deletion_observed(self._key, object_key(pod))
                if not isinstance(error, NotFound):
                    failure = failure or error
                    continue
            gone.append(pod)
        return gone, failure

    def _create(self, count: int, reached: set[int]) -> tuple[int, StatusError | None]:
        template = self._spec["template"]
        meta = template.get("metadata", {})
        finalizers = [*meta.get("finalizers", ()), TRACKING]
        template = {"metadata": {**meta, "finalizers": finalizers}, "spec": template["spec"]}
        create = self._controller.pod_control.create_from_template
        if rules.is_indexed(self._job):
            calls = [
                partial(create, self._job, self._template_of(template, one), generateName=self._prefix(one))
                for one in self._pending_indexes(count, reached)
            ]
        else:
            calls = [partial(create, self._job, template)] * count
        self._controller.expectations.expect_creations(self._key, len(calls))
        queue = iter(calls)
        quiet = 0

        def next_one() -> None:
            nonlocal quiet
            try:
                next(queue)()
            except StatusError as error:
                if not has_cause(error, NAMESPACE_TERMINATING):
                    raise
                quiet += 1

        done, failure = slow_start(len(calls), next_one)
        self._controller.expectations.creation_observed(self._key, len(calls) - done + quiet)
        return done - quiet, failure

    def _prefix(self, index: int) -> str:
        return indexes.name_prefix(self._job["metadata"]["name"], index)

    def _template_of(self, template: Object, index: int) -> Object:
        template = indexes.template_of(self._job, template, index)
        if per_index.applies(self._job):
            return per_index.with_counts(self._job, template, self._held.get(index))
        return template

    def _pending_indexes(self, count: int, reached: set[int]) -> list[int]:
        """The first indexes that are to be tried now; those that must wait are looked at again in time."""
        taken = reached | self._given_up | self._active_indexes()
        pending = [index for index in range(self._spec["completions"]) if index not in taken][:count]
        waits = {index: per_index.wait_for(self._held.get(index), self._now) for index in pending}
        ready = [index for index in pending if not waits[index]]
        if pending and not ready:
            self._controller.queue.add_after(self._key, min(waits.values()))
        return ready

    # ------------------------------------------------------------ counting

    def _finish(self) -> None:
        """Note the ended pods, let them go, count them, and end the Job if everything is counted."""
        letting_go = self._note_ended()
        final = self._begin_ending()
        self._clean_uncounted(letting_go)
        self._write()
        self._controller.failures[self._key] = self._failures
        for pod in letting_go:
            meta = pod["metadata"]
            try:
                self._controller.client.patch(PODS, meta["namespace"], meta["name"], without_tracking(pod))
            except NotFound:
                continue
        self._clean_uncounted([])
        if final and self._status.get("terminating", 0) == 0:
            self._set_condition(final)
            if final["type"] == "Complete":
                self._status["completionTime"] = final["lastTransitionTime"]
        else:
            final = None
        self._write()
        if final:
            self._tell_end(final)

    def _note_ended(self) -> list[Object]:
        """Put ended pods into the status as uncounted; returns all pods that lose their finalizer."""
        letting_go = []
        leaving = "deletionTimestamp" in self._job["metadata"]
        failing = self._ending is not None and self._ending["type"] != "SuccessCriteriaMet"
        for pod in self._pods:
            meta = pod["metadata"]
            if TRACKING not in meta.get("finalizers", ()):
                continue
            failed = rules.is_failed(self._job, pod)
            if failed and not leaving and self._ending is None and pod in self._held.values():
                continue
            if not (leaving or self._ending or podlib.phase(pod) == "Succeeded" or failed):
                continue
            letting_go.append(pod)
            uid, noted = meta["uid"], self._uncounted
            if podlib.phase(pod) == "Succeeded" and uid not in noted["failed"]:
                if rules.is_indexed(self._job):
                    self._completed |= {index for index in (self._valid_index(pod),) if index is not None}
                elif uid not in noted["succeeded"]:
                    noted["succeeded"].append(uid)
            elif (failed or failing) and uid not in noted["failed"]:
                valid = not rules.is_indexed(self._job) or self._valid_index(pod) is not None
                if valid and rules.counts_as_failure(self._job, pod):
                    noted["failed"].append(uid)
        if rules.is_indexed(self._job):
            self._status |= {"succeeded": len(self._completed), "completedIndexes": indexes.spell(self._completed)}
        if per_index.applies(self._job):
            self._status["failedIndexes"] = indexes.spell(self._given_up)
        return letting_go

    def _begin_ending(self) -> Object | None:
        """Write the condition that announces the end; returns the one that will conclude it."""
        ending = self._ending
        if ending is None:
            return None
        if ending["type"] in ("FailureTarget", "SuccessCriteriaMet"):
            if not rules.standing({"status": self._status}, ending["type"]):
                self._set_condition(ending)
            final = "Failed" if ending["type"] == "FailureTarget" else "Complete"
            return self._condition(final, ending["reason"], ending["message"])
        return ending

    def _clean_uncounted(self, letting_go: list[Object]) -> None:
        """Count the noted pods that have lost their finalizer; those in ``letting_go`` still have it."""
        held = {pod["metadata"]["uid"] for pod in letting_go}
        for kind, uids in self._uncounted.items():
            left = [uid for uid in uids if uid in held]
            self._status[kind] = self._status.get(kind, 0) + len(uids) - len(left)
            self._uncounted[kind] = left

    def _write(self) -> None:
        status = {key: value for key, value in self._status.items() if key not in OPTIONAL or value}
        status["uncountedTerminatedPods"] = compact(self._uncounted)
        if status != self._job.get("status"):
            self._job = self._controller.client.update(JOBS, {**self._job, "status": status}, "status")

    def _set_condition(self, condition: Object) -> None:
        kept = [one for one in self._status.get("conditions", ()) if one["type"] != condition["type"]]
        self._status["conditions"] = [*kept, condition]

    def _condition(self, kind: str, reason: str, message: str) -> Object:
        now = timestamps.time(self._now)
        times = {"lastProbeTime": now, "lastTransitionTime": now}
        return {"type": kind, "status": "True", **times, "reason": reason, "message": message}

    def _tell_end(self, final: Object) -> None:
        if final["type"] != "Complete":
            self._tell("Warning", final["reason"], final["message"])
            return
        if "completions" in self._spec and self._status.get("succeeded", 0) > self._spec["completions"]:
            text = "Too many succeeded pods running after completion count reached"
            self._tell("Warning", "TooManySucceededPods", text)
        self._tell("Normal", "Completed", "Job completed")

    def _tell(self, kind: str, reason: str, message: str) -> None:
        self._controller.recorder.event(self._job, kind, reason, message)
