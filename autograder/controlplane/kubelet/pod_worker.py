"""One pod, one step: what a kubelet does for a pod now, and when it has to look at it again.

``PodWorker.sync`` takes a pod's state as far as it goes at this moment.  Which method does so stands in ``STEPS``, by
stage; the order of actions within a step is that of the real ``SyncPod``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.configs import SandboxConfig
from autograder.controlplane.containers.machines import StartError
from autograder.controlplane.containers.records import ContainerState
from autograder.controlplane.kubelet import container_config, pod_status, volumes
from autograder.controlplane.kubelet.container_worker import ERROR_DELAY, MINIMUM_GRACE, SANDBOX_TIME
from autograder.controlplane.kubelet.pod_status import is_sidecar
from autograder.controlplane.kubelet.records import Backoff, ContainerWork, PodState, Stage
from autograder.controlplane.kubelet.resizing import PodResizer

FIRST_MOUNT_DELAY: Final = SECOND // 2
LONGEST_MOUNT_DELAY: Final = 122 * SECOND


class PodWorker(PodResizer):
    """The worker of one pod, for the length of one step."""

    def sync(self) -> PodState:
        """Do all that can be done for the pod now."""
        self._check_end()
        stage = None
        while stage is not self.state.stage:
            stage = self.state.stage
            STEPS[stage](self)
        return self.state

    def status(self) -> Object:
        """The status of the pod as it is now."""
        if self.state.rejected is not None:
            return self.state.rejected
        host = self._machines.hosts[self.state.node]
        return pod_status.generate(self.state, self._machines, self._now, host.address)

    def due(self) -> int | None:
        """When the pod wants to be looked at again, if nothing happens before."""
        return min(self._moments(), default=None)

    def has_nothing_new(self, before: PodState) -> bool:
        """Whether the pod is as it was, but that its probes have succeeded once more: then its status is the same."""
        works, old = self.state.works, before.works
        return (
            self.state._replace(works=old) == before
            and works.keys() == old.keys()
            and all(_has_nothing_new(work, old[name]) for name, work in works.items())
        )

    def is_waiting_idly(self, due: int) -> bool:
        """Whether all that is due then are probes that have long had their verdict: nothing for which anybody waits."""
        if self.state.stage is not Stage.RUNNING:
            return False
        running = (probe for work in self.state.works.values() for probe in work.probes.values())
        steady = {probe.due for probe in running if probe.verdict and probe.last}
        return due in steady

    def _moments(self) -> Iterator[int]:
        state = self.state
        if state.stage is Stage.FINISHED:
            return
        if state.sandbox_at is not None and state.stage is Stage.SETTING_UP:
            yield state.sandbox_at
        for name, work in state.works.items():
            if work.pulling_until is not None:
                yield work.pulling_until
            elif work.not_before > self._now and state.stage is Stage.RUNNING:
                yield work.not_before
            if work.stop is not None:
                yield work.stop.kill_at if work.stop.termed else work.stop.term_at
            elif state.stage is Stage.RUNNING and work.probes:
                spec = self._spec_of(name)
                started = pod_status.started(spec, work)
                for kind, probe in work.probes.items():
                    if not probe.on_hold and (kind == "startup") != started:
                        yield probe.due
        deadline = state.pod["spec"].get("activeDeadlineSeconds")
        if deadline is not None and state.stage in (Stage.SETTING_UP, Stage.RUNNING):
            yield state.since + deadline * SECOND

    # The end of a pod, from outside.

    def _check_end(self) -> None:
        """Begin to stop the pod if it has been deleted, has failed for others, or has run for too long."""
        state = self.state
        meta = state.pod["metadata"]
        deleted = "deletionTimestamp" in meta or state.gone
        if state.stage is Stage.TERMINATING and deleted:
            grace = meta.get("deletionGracePeriodSeconds", state.grace)
            if grace < state.grace:
                self._hurry(grace)
        if state.stage not in (Stage.SETTING_UP, Stage.RUNNING):
            return
        spec = state.pod["spec"]
        deadline = spec.get("activeDeadlineSeconds")
        grace = spec.get("terminationGracePeriodSeconds", 30)
        if deleted:
            self._terminate(meta.get("deletionGracePeriodSeconds", grace))
        elif (state.pod.get("status") or {}).get("phase") in pod_status.TERMINAL:
            self._terminate(grace)
        elif deadline is not None and self._now - state.since >= deadline * SECOND:
            message = "Pod was active on the node longer than the specified deadline"
            self._event("Normal", "DeadlineExceeded", message)
            self.state = state._replace(phase="Failed", reason="DeadlineExceeded", message=message)
            self._terminate(grace)

    def _terminate(self, grace: int) -> None:
        """Begin to stop all containers: the ordinary ones now, sidecars when those have ended."""
        self.state = self.state._replace(stage=Stage.TERMINATING, grace=grace)
        ordinary = self.state.pod["spec"]["containers"]
        for spec in (*ordinary, *self._init_containers(sidecars=False), *self._ephemeral_containers()):
            self._stop(spec, grace)

    def _hurry(self, grace: int) -> None:
        """The pod has been deleted once more, with less time."""
        self.state = self.state._replace(grace=grace)
        latest = self._now + max(grace, MINIMUM_GRACE) * SECOND
        for name, work in list(self.state.works.items()):
            if work.stop is not None:
                self._set(name, stop=work.stop._replace(kill_at=min(work.stop.kill_at, latest)))

    # Steps, by stage.

    def _set_up(self) -> None:
        state = self.state
        if state.sandbox_at is not None and self._now < state.sandbox_at:
            return
        try:
            self._set_up_volumes(credentials=volumes.runs_commands(state.pod))
        except volumes.MountError as error:
            self._event("Warning", "FailedMount", str(error))
            delay = FIRST_MOUNT_DELAY if state.retry is None else min(state.retry.delay * 2, LONGEST_MOUNT_DELAY)
            self.state = state._replace(retry=Backoff(delay, self._now), sandbox_at=self._now + delay)
            return
        try:
            sandbox = self._machines.run_sandbox(self._sandbox_config())
        except StartError as error:
            self._event("Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}")
            self.state = state._replace(sandbox_at=self._now + ERROR_DELAY)
            return
        self.state = state._replace(stage=Stage.RUNNING, sandbox_at=None, ip=sandbox.ip, retry=None)

    def _sandbox_config(self) -> SandboxConfig:
        state, meta, spec = self.state, self.state.pod["metadata"], self.state.pod["spec"]
        host_network = spec.get("hostNetwork", False)
        return SandboxConfig(
            state.uid, meta.get("namespace", ""), meta["name"], state.node,
            state.node if host_network else spec.get("hostname") or meta["name"][:63], host_network,
            meta.get("labels") or {}, state.attempt, spec.get("dnsPolicy", "ClusterFirst"),
            container_config.ports(spec),
        )  # fmt: skip

    def _set_up_volumes(self, *, credentials: bool) -> None:
        state = self.state
        volumes.set_up(
            self._client, self._machines, state.pod, state.uid, state.node, self._fields(), credentials=credentials
        )

    def refresh_volumes(self) -> bool:
        """Show the ConfigMaps, Secrets and fields of now, and a token; whether that could be done."""
        try:
            self._set_up_volumes(credentials=True)
        except volumes.MountError:
            return False
        return True

    def _run(self) -> None:
        sandbox = self._machines.sandboxes.get(self.state.uid)
        if sandbox is None or not sandbox.ready:
            self._lose_sandbox()
            return
        for spec, container in list(self._running()):
            self._tend(spec, container)
        for spec in self._ephemeral_containers():
            self._ensure_running(spec)
        if not self._initialize():
            return
        going = False
        for spec in self.state.pod["spec"]["containers"]:
            progress = self._ensure_running(spec)
            going = going or progress != "ended"
            if progress == "busy":
                return
        if not going:
            self._terminate(self.state.pod["spec"].get("terminationGracePeriodSeconds", 30))

    def _lose_sandbox(self) -> None:
        """The node has lost power meanwhile: make a new sandbox, unless the pod is not to be started again."""
        state = self.state
        spec = state.pod["spec"]
        known = self._machines.containers_of(state.uid)
        if known and spec.get("restartPolicy", "Always") == "Never":
            self._terminate(0)
            return
        self._event("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        works = {
            name: work._replace(pulling_until=None, image_ready=False, stop=None, probes={}, waiting=None)
            for name, work in state.works.items()
        }
        self.state = state._replace(
            stage=Stage.SETTING_UP, sandbox_at=self._now + SANDBOX_TIME, attempt=state.attempt + 1, works=works,
            initialized=False, ip="",
        )  # fmt: skip

    def _finish_stopping(self) -> None:
        for spec, container in list(self._running()):
            self._proceed_with_stop(spec, container)
        running = list(self._running())
        if running and not any(not is_sidecar(spec) for spec, _ in running):
            # Sidecars end last, and in the reverse order of their start.
            last = running[-1][0] if len(running) == 1 else max(
                (spec for spec, _ in running), key=lambda spec: self._position(spec["name"])
            )  # fmt: skip
            if self.state.work(last["name"]).stop is None:
                self._stop(last, self.state.grace)
                self._finish_stopping()
                return
            running = list(self._running())
        if not running:
            self._machines.stop_sandbox(self.state.uid)
            self.state = self.state._replace(stage=Stage.FINISHED)

    def _rest(self) -> None:
        """A finished pod is only kept for its status and logs."""

    # Init containers.

    def _initialize(self) -> bool:
        """Bring the init containers forward; whether the ordinary containers may run."""
        specs = self._init_containers()
        for spec in specs:
            if is_sidecar(spec):
                if self._ensure_running(spec) != "running" or not pod_status.started(
                    spec, self.state.work(spec["name"])
                ):
                    if not self.state.initialized:
                        return False
                continue
            if self.state.initialized:
                continue
            if self._has_succeeded(spec):
                continue
            if self._ensure_running(spec) != "ended":
                return False
            if not self._has_succeeded(spec):
                self._terminate(0)
                return False
        if not self.state.initialized:
            self.state = self.state._replace(initialized=True)
        return True

    def _has_succeeded(self, spec: Object) -> bool:
        """Whether an init container has done its work in the pod's sandbox of now."""
        latest = self._machines.latest(self.state.uid, spec["name"])
        if latest is None or latest.state is not ContainerState.EXITED or latest.exit_code:
            return False
        return latest.created >= self._machines.sandboxes[self.state.uid].created


def _has_nothing_new(work: ContainerWork, before: ContainerWork) -> bool:
    """Whether nothing has happened to a container but that probes have succeeded, which did so before."""
    if work is before:
        return True
    verdicts = {kind: probe.verdict for kind, probe in before.probes.items()}
    return work._replace(probes=before.probes) == before and all(
        probe.last is not False and probe.verdict == verdicts.get(kind) for kind, probe in work.probes.items()
    )


STEPS: Final = {
    Stage.SETTING_UP: PodWorker._set_up,
    Stage.RUNNING: PodWorker._run,
    Stage.TERMINATING: PodWorker._finish_stopping,
    Stage.FINISHED: PodWorker._rest,
}
