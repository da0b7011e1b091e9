"""What a Job has counted of its pods, so that none is lost and none counts twice.

An ended pod is first noted in the status as uncounted, then loses its finalizer, then is counted; whatever is
interrupted in between can be taken up again.  Source: pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.scheme import JOBS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.conditions import without
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.job import indexes, per_index, rules

TRACKING: Final = "batch.kubernetes.io/job-tracking"
#: Fields that are written only when they say something.
OPTIONAL: Final = ("active", "succeeded", "failed", "completedIndexes")


def is_tracked(pod: Object) -> bool:
    """Whether a pod still has the finalizer, and so waits to be counted."""
    return TRACKING in pod["metadata"].get("finalizers", ())


def without_tracking(pod: Object) -> Object:
    """The patch that lets a pod go."""
    return {"metadata": {"uid": pod["metadata"]["uid"], "$deleteFromPrimitiveList/finalizers": [TRACKING]}}


class Tally:
    """A Job and all its pods, those of an Indexed Job by their index, and the ``status`` as it becomes.

    Of an Indexed Job ``completed`` and ``given_up`` are indexes, ``held`` are failed pods by index, which stay until
    they are replaced.
    """

    def __init__(self, job: Object, pods: list[Object], now: int) -> None:
        self.job = job
        self.pods = sorted(pods, key=_order) if rules.is_indexed(job) else pods
        self.active = [pod for pod in pods if podlib.is_active(pod)]
        before = job.get("status", {})
        self.status: Object = {"uncountedTerminatedPods": {}, **before}
        noted = self.status["uncountedTerminatedPods"]
        self._noted = {kind: list(noted.get(kind, ())) for kind in ("succeeded", "failed")}
        completions = job["spec"].get("completions", 0)
        self.completed = indexes.parse(before.get("completedIndexes", ""), completions)
        self.given_up = indexes.parse(before.get("failedIndexes", ""), completions)
        self.held: dict[int, Object] = {}
        self._now = now

    # ------------------------------------------------------------ what there is

    def total(self, kind: str) -> int:
        """How many pods have ``succeeded`` or ``failed``, of those that are counted or noted."""
        total: int = self.status.get(kind, 0) + len(self._noted[kind])
        return total

    def new_successes(self) -> list[Object]:
        """Pods that have succeeded and are not noted yet."""
        return [pod for pod in self._not_noted("succeeded") if podlib.phase(pod) == "Succeeded"]

    def new_failures(self) -> list[Object]:
        """Pods that have failed and are not noted yet."""
        return [pod for pod in self._not_noted("failed") if rules.is_failed(self.job, pod)]

    def _not_noted(self, kind: str) -> Iterator[Object]:
        noted = set(self._noted[kind])
        for pod in self.pods:
            if is_tracked(pod) and pod["metadata"]["uid"] not in noted and self._has_place(pod):
                yield pod

    def index_of(self, pod: Object) -> int | None:
        """The completion that a pod works on; None if it is none of the Job's, or these have no numbers."""
        index = indexes.index_of(pod) if rules.is_indexed(self.job) else None
        return index if index is not None and index < self.job["spec"].get("completions", 0) else None

    def _has_place(self, pod: Object) -> bool:
        """Whether a pod can count for the Job."""
        return not rules.is_indexed(self.job) or self.index_of(pod) is not None

    def indexes_of(self, pods: list[Object]) -> set[int]:
        """The completions that pods work on."""
        return {index for pod in pods if (index := self.index_of(pod)) is not None}

    def look_at_indexes(self, reached: set[int]) -> None:
        """Note which indexes are given up, and which failed pods must stay until they are replaced."""
        pods = [pod for pod in self.pods if is_tracked(pod)]
        self.given_up |= self.indexes_of([pod for pod in pods if per_index.has_failed_for_good(self.job, pod)])
        self.held = per_index.held_pods(self.job, pods, reached | self.given_up | self.indexes_of(self.active))

    # ------------------------------------------------------------ what is said of it

    def show_pods(self, active: int, gone: list[Object]) -> None:
        """Say how many pods there are, ``gone`` being those that were just deleted."""
        ready = sum(map(podlib.is_ready, self.active)) - sum(map(podlib.is_ready, gone))
        terminating = sum(map(podlib.is_terminating, self.pods)) + len(gone)
        self.status |= {"active": active, "ready": ready, "terminating": terminating}

    def condition(self, kind: str, reason: str, message: str) -> Object:
        """A condition that is true from now on."""
        now = timestamps.time(self._now)
        times = {"lastProbeTime": now, "lastTransitionTime": now}
        return {"type": kind, "status": "True", **times, "reason": reason, "message": message}

    def set_condition(self, condition: Object) -> None:
        """Put a condition into the status, in the place of one of its type."""
        self.status["conditions"] = [*without(self.status.get("conditions", ()), condition["type"]), condition]

    # ------------------------------------------------------------ counting

    def note_ended(self, ending: Object | None) -> list[Object]:
        """Put ended pods into the status as uncounted; returns all pods that lose their finalizer.

        ``ending`` is the condition with which the Job ends, if it does.
        """
        letting_go = [pod for pod in self.pods if is_tracked(pod) and self._may_go(pod, ending)]
        for pod in letting_go:
            self._note(pod, failing=ending is not None and ending["type"] != "SuccessCriteriaMet")
        if rules.is_indexed(self.job):
            self.status |= {"succeeded": len(self.completed), "completedIndexes": indexes.spell(self.completed)}
        if per_index.applies(self.job):
            self.status["failedIndexes"] = indexes.spell(self.given_up)
        return letting_go

    def _may_go(self, pod: Object, ending: Object | None) -> bool:
        leaving = "deletionTimestamp" in self.job["metadata"]
        failed = rules.is_failed(self.job, pod)
        if failed and not leaving and ending is None and pod in self.held.values():
            return False
        return leaving or ending is not None or podlib.phase(pod) == "Succeeded" or failed

    def _note(self, pod: Object, *, failing: bool) -> None:
        """Note how a pod has ended; in a Job that is ``failing`` those that were stopped have failed too."""
        uid, noted = pod["metadata"]["uid"], self._noted
        if uid in noted["failed"]:
            return
        if podlib.phase(pod) == "Succeeded":
            if rules.is_indexed(self.job):
                self.completed |= self.indexes_of([pod])
            elif uid not in noted["succeeded"]:
                noted["succeeded"].append(uid)
        elif failing or rules.is_failed(self.job, pod):
            if self._has_place(pod) and rules.counts_as_failure(self.job, pod):
                noted["failed"].append(uid)

    def count(self, but_not: list[Object]) -> None:
        """Count the noted pods that have lost their finalizer, ``but_not`` those that still have it."""
        held = {pod["metadata"]["uid"] for pod in but_not}
        for kind, uids in self._noted.items():
            left = [uid for uid in uids if uid in held]
            self.status[kind] = self.status.get(kind, 0) + len(uids) - len(left)
            self._noted[kind] = left

    def write(self, client: Client) -> None:
        """Write the status if it has changed."""
        status = {key: value for key, value in self.status.items() if key not in OPTIONAL or value}
        status["uncountedTerminatedPods"] = compact(self._noted)
        if status != self.job.get("status"):
            self.job = client.update(JOBS, {**self.job, "status": status}, "status")


def _order(pod: Object) -> int:
    index = indexes.index_of(pod)
    return -1 if index is None else index
