"""One look at one Job: see how its pods have ended, have as many as are wanted, and end the Job when it is done.

Source: pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.conditions import find
from autograder.controlplane.kube_controller_manager.job import per_index, rules
from autograder.controlplane.kube_controller_manager.job.managing import PodManager
from autograder.controlplane.kube_controller_manager.job.tally import Tally, without_tracking
from autograder.controlplane.kube_controller_manager.pod_maker import PodMaker


class Round:
    """One look at a Job and all its pods.

    ``failures`` are those of all Jobs by their keys, in which the look leaves what it has found.
    """

    def __init__(
        self, controller: PodMaker, failures: dict[str, rules.Failures], key: str, job: Object, pods: list[Object]
    ) -> None:
        self._controller = controller
        self._failures = failures
        self._key = key
        self._job = job
        self._spec: Object = job["spec"]
        self._now = controller.clock.now
        self._tally = Tally(job, pods, self._now)
        self._status = self._tally.status
        self._manager = PodManager(controller, key, self._tally)
        #: The condition with which the Job begins to end, if it does.
        self._ending: Object | None = None

    def run(self) -> None:
        """Do what is to be done now; raises the first refusal of a pod after the status has been written."""
        tally, job = self._tally, self._job
        if "startTime" not in self._status and not self._spec.get("suspend"):
            self._status["startTime"] = timestamps.time(self._now)
        successes, failed_pods = tally.new_successes(), tally.new_failures()
        before = self._failures.get(self._key, rules.Failures())
        failures = rules.with_finished(before, successes, failed_pods)
        failed = tally.total("failed") + sum(rules.counts_as_failure(job, pod) for pod in failed_pods)
        reached = tally.completed | tally.indexes_of(successes)
        succeeded = len(reached) if rules.is_indexed(job) else tally.total("succeeded") + len(successes)
        if per_index.applies(job):
            tally.look_at_indexes(reached)
        self._ending = self._verdict(failed, reached)
        refusal = self._act(succeeded, reached, failures)
        self._finish(failures)
        if refusal:
            raise refusal

    # ------------------------------------------------------------ does it end?

    def _verdict(self, failed: int, reached: set[int]) -> Object | None:
        """The condition with which the Job begins to end, or None."""
        condition = self._tally.condition
        if standing := rules.standing(self._job, "SuccessCriteriaMet"):
            return standing
        if standing := rules.standing(self._job, "FailureTarget"):
            return condition("Failed", standing.get("reason", ""), standing.get("message", ""))
        for pod in self._tally.pods:
            if rules.is_failed(self._job, pod):
                action, why = rules.policy_verdict(self._job, pod)
                if action == "FailJob":
                    return condition("FailureTarget", "PodFailurePolicy", why)
        if failed > self._spec.get("backoffLimit", 6) or rules.past_limit_by_restarts(self._job, self._tally.pods):
            text = "Job has reached the specified backoff limit"
            return condition("FailureTarget", "BackoffLimitExceeded", text)
        if (left := self._time_left()) is not None:
            if left <= 0:
                text = "Job was active longer than specified deadline"
                return condition("FailureTarget", "DeadlineExceeded", text)
            self._controller.queue.add_after(self._key, left)
        if per_index.applies(self._job):
            reason, why = per_index.verdict(self._job, reached, self._tally.given_up)
            if reason:
                return condition("FailureTarget", reason, why)
        if rules.is_indexed(self._job) and (why := rules.met_success_policy(self._job, reached)):
            return condition("SuccessCriteriaMet", "SuccessPolicy", why)
        return None

    def _time_left(self) -> int | None:
        """Microseconds until the Job must have ended; None if it may go on."""
        if "activeDeadlineSeconds" not in self._spec or self._spec.get("suspend"):
            return None
        allowed: int = self._spec["activeDeadlineSeconds"] * SECOND
        return timestamps.parse(self._status["startTime"]) + allowed - self._now

    # ------------------------------------------------------------ its pods

    def _act(self, succeeded: int, reached: set[int], failures: rules.Failures) -> StatusError | None:
        """Delete the active pods of a Job that ends, or have as many as are wanted; then see whether it is done.

        Returns the first refusal.
        """
        tally = self._tally
        expected = self._controller.expectations.satisfied(self._key)
        if self._ending is not None:
            gone, refusal = self._manager.delete(tally.active)
            if refusal or not expected:
                self._ending = None
            tally.show_pods(len(tally.active) - len(gone), gone)
            return refusal
        active, gone, refusal = len(tally.active), [], None
        managed = expected and "deletionTimestamp" not in self._job["metadata"]
        if managed:
            active, gone, refusal = self._manager.manage(succeeded, reached, failures)
        completions = self._spec.get("completions")
        if active == 0 and (succeeded >= completions if completions is not None else succeeded > 0):
            text = "Reached expected number of succeeded pods"
            self._ending = tally.condition("SuccessCriteriaMet", "CompletionsReached", text)
        elif managed:
            self._note_suspension()
        tally.show_pods(active, gone)
        return refusal

    def _note_suspension(self) -> None:
        known = find(self._status.get("conditions", ()), "Suspended")
        is_noted = known is not None and known["status"] == "True"
        if self._spec.get("suspend") and not is_noted:
            self._tally.set_condition(self._tally.condition("Suspended", "JobSuspended", "Job suspended"))
            self._tell("Normal", "Suspended", "Job suspended")
            self._status.pop("startTime", None)
        elif not self._spec.get("suspend") and is_noted:
            resumed = self._tally.condition("Suspended", "JobResumed", "Job resumed")
            self._tally.set_condition({**resumed, "status": "False"})
            self._tell("Normal", "Resumed", "Job resumed")
            self._status["startTime"] = timestamps.time(self._now)

    # ------------------------------------------------------------ what becomes of it

    def _finish(self, failures: rules.Failures) -> None:
        """Note the ended pods, let them go, count them, and end the Job if everything is counted."""
        tally, client = self._tally, self._controller.client
        letting_go = tally.note_ended(self._ending)
        final = self._begin_ending()
        tally.count(but_not=letting_go)
        tally.write(client)
        self._failures[self._key] = failures
        for pod in letting_go:
            meta = pod["metadata"]
            try:
                client.patch(PODS, meta["namespace"], meta["name"], without_tracking(pod))
            except NotFound:
                continue
        tally.count(but_not=[])
        if final is not None and self._status.get("terminating", 0) != 0:
            final = None
        if final is not None:
            tally.set_condition(final)
            if final["type"] == "Complete":
                self._status["completionTime"] = final["lastTransitionTime"]
        tally.write(client)
        if final is not None:
            self._tell_end(final)

    def _begin_ending(self) -> Object | None:
        """Write the condition that announces the end; returns the one that will conclude it."""
        ending = self._ending
        if ending is None:
            return None
        if ending["type"] in ("FailureTarget", "SuccessCriteriaMet"):
            if not rules.standing({"status": self._status}, ending["type"]):
                self._tally.set_condition(ending)
            final = "Failed" if ending["type"] == "FailureTarget" else "Complete"
            return self._tally.condition(final, ending.get("reason", ""), ending.get("message", ""))
        return ending

    def _tell_end(self, final: Object) -> None:
        if final["type"] != "Complete":
            self._tell("Warning", final["reason"], final["message"])
            return
        if "completions" in self._spec and self._status.get("succeeded", 0) > self._spec["completions"]:
            text = "Too many succeeded pods running after completion count reached"
            self._tell("Warning", "TooManySucceededPods", text)
        self._tell("Normal", "Completed", "Job completed")

    def _tell(self, kind: str, reason: str, message: str) -> None:
        self._controller.recorder.event(self._tally.job, kind, reason, message)
