"""kube-scheduler: takes pending pods one by one, and binds each to a node or says why there is none.

In each turn it takes in what the watches brought, then goes through the queue.  A pod's turn: find the nodes that will
do, score them, choose, count the pod to the node, bind it.  If no node will do, other pods of lower priority may have
to go; the pod waits until something changes that may let it through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Final, Self

from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import InformerFactory
from autograder.controlplane.component import Environment
from autograder.controlplane.kube_scheduler.algorithm import Rejection, schedule
from autograder.controlplane.kube_scheduler.cache import SchedulerCache
from autograder.controlplane.kube_scheduler.decision import Attempt, Decision, decide_again
from autograder.controlplane.kube_scheduler.event_handlers import EventHandlers
from autograder.controlplane.kube_scheduler.event_recorder import NORMAL, TIMER, WARNING, EventRecorder
from autograder.controlplane.kube_scheduler.events import Action, ClusterEvent, Resource
from autograder.controlplane.kube_scheduler.framework import Framework, PluginError
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle, Plugin
from autograder.controlplane.kube_scheduler.node_info import PodInfo
from autograder.controlplane.kube_scheduler.nominator import Nominator
from autograder.controlplane.kube_scheduler.plugins import default_plugins
from autograder.controlplane.kube_scheduler.pod_status import patch_condition
from autograder.controlplane.kube_scheduler.queue import BACKOFF_TIMER, LEFTOVER_TIMER, QueuedPod, SchedulingQueue

USER: Final = "system:kube-scheduler"
DEFAULT_SCHEDULER: Final = "default-scheduler"
HOST: Final = "control-plane"

#: How many of the latest tries are remembered, so that they can be explained.
REMEMBERED: Final = 200


class Scheduler:
    """The process.  ``plugins`` replaces the default ones; ``scheduler_name`` says which pods are its own."""

    name = "kube-scheduler"

    def __init__(
        self,
        environment: Environment,
        plugins: Sequence[Plugin] | None = None,
        *,
        scheduler_name: str = DEFAULT_SCHEDULER,
    ) -> None:
        client, clock = environment.client(USER), environment.clock
        framework = Framework(default_plugins() if plugins is None else plugins)
        recorder = EventRecorder(client, clock, self.name, scheduler_name, f"{scheduler_name}-{HOST}")
        handle = Handle(
            client, clock, InformerFactory(client), SchedulerCache(), Nominator(), recorder,
            environment.random(self.name), framework,
        )  # fmt: skip
        self._wire(handle, SchedulingQueue(clock, self.name, framework.pre_enqueue), scheduler_name)
        self._next_start = 0
        self._attempts: deque[Attempt] = deque(maxlen=REMEMBERED)

    def fork(self, environment: Environment) -> Self:
        twin = object.__new__(type(self))
        handle = self._handle.fork(environment.client(USER), environment.clock)
        queue = self._queue.fork(handle.clock, handle.framework.pre_enqueue)
        twin._wire(handle, queue, self._scheduler_name)
        twin._next_start = self._next_start
        twin._attempts = self._attempts.copy()
        return twin

    def sync(self) -> bool:
        worked = self._handlers.hear()
        while queued := self._queue.pop():
            worked = True
            self._schedule_one(queued)
            if not self._queue.ready:
                self._handlers.hear()
        return worked

    def fire(self, key: Hashable) -> None:
        if key == BACKOFF_TIMER:
            self._queue.flush_backoff()
        elif key == LEFTOVER_TIMER:
            self._queue.flush_leftover()
        elif key == TIMER:
            self._handle.recorder.tidy()

    def attempts(self, namespace: str, name: str) -> list[Decision]:
        """What is remembered of the tries to schedule a pod, oldest first, in full."""
        key = f"{namespace}/{name}"
        tries = [attempt for attempt in self._attempts if attempt.pod.key == key]
        return [decide_again(self._handle.framework, self._handle, attempt) for attempt in tries]

    def explain(self, pod: Object) -> Decision | None:
        """Why a pod is where it is, or why it is nowhere: its latest try, in full; None if none is remembered."""
        meta = pod["metadata"]
        tries = self.attempts(meta["namespace"], meta["name"])
        return tries[-1] if tries else None

    def _schedule_one(self, queued: QueuedPod) -> None:
        pod, handle = queued.pod, self._handle
        if pod.terminating:
            note = f"skip schedule deleting pod: {pod.key}"
            handle.recorder.event(pod.object, WARNING, "FailedScheduling", "Scheduling", note)
            return
        if handle.cache.is_assumed(pod.key):
            return
        handle.cache.refresh()
        cycle = Cycle(handle, handle.cache)
        start = self._next_start
        try:
            decided, self._next_start = schedule(handle.framework, cycle, pod, start, handle.dice)
        except PluginError as error:
            decided = Rejection(str(error), frozenset(), False, "")
        node, message = ("", decided.message) if isinstance(decided, Rejection) else (decided.node, "")
        self._attempts.append(Attempt(pod, tuple(handle.cache.nodes), start, handle.clock.now, node, message))
        if isinstance(decided, Rejection):
            self._fail(queued, decided)
        else:
            self._bind(queued, cycle, decided.node)

    def _bind(self, queued: QueuedPod, cycle: Cycle, node: str) -> None:
        pod, handle = queued.pod, self._handle
        handle.cache.assume(pod, node)
        handle.nominator.set(pod.key, "")
        status = handle.framework.reserve(cycle, pod, node) or handle.framework.bind(cycle, pod, node)
        if status is None:
            note = f"Successfully assigned {pod.key} to {node}"
            handle.recorder.event(pod.object, NORMAL, "Scheduled", "Binding", note)
            return
        handle.framework.unreserve(cycle, pod, node)
        handle.cache.forget(pod.key)
        freed = pod.object | {"spec": pod.spec | {"nodeName": node}}
        self._handlers.move(ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE, freed, None))
        message = status.message
        if status.rejected:
            message = f"0/1 nodes are available: 1 {message}."
        blamed = frozenset((status.plugin,)) if status.rejected else frozenset()
        self._fail(queued, Rejection(message, blamed, status.rejected, ""))

    def _fail(self, queued: QueuedPod, rejection: Rejection) -> None:
        """Put a pod back that was not scheduled, and say so."""
        handle = self._handle
        pod = queued.pod
        current = handle.pods.get_by_key(pod.key)
        if current is not None and not current["spec"].get("nodeName"):
            if current["metadata"].get("uid") != pod.uid:
                return
            pod = PodInfo.of(current)
            self._queue.add_unschedulable(replace(queued, pod=pod), rejection.rejected_by)
            nominated = pod.nominated_node if rejection.nominated is None else rejection.nominated
            handle.nominator.set(pod.key, nominated)
        handle.recorder.event(pod.object, WARNING, "FailedScheduling", "Scheduling", rejection.message)
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable" if rejection.unschedulable else "SchedulerError",
            "message": rejection.message,
        }
        try:
            patch_condition(handle.client, pod, condition, handle.clock.now, nominated=rejection.nominated)
        except StatusError:
            # The pod is gone or changed under our hands; the watch will tell, and the queue follows the watch.
            return

    def _wire(self, handle: Handle, queue: SchedulingQueue, scheduler_name: str) -> None:
        self._handle = handle
        self._queue = queue
        self._scheduler_name = scheduler_name
        self._handlers = EventHandlers(handle, queue, scheduler_name)
